"""An object of every standard recipe, made from the recipes themselves as recipe.list and object.get show them."""
import re

# Registries, groups and what the model layer reacts to: local to a node, or with cases of their own.
LEFT_OUT = {"Access", "IdAccess", "Group", "GroupProfile", "Chum", "Instance", "Person", "Recipe", "Leute", "Someone", "Profile",
            "Settings", "LocalInstancesList", "ChannelRegistry", "ChannelInfo", "Topic", "TopicAppRegistry", "IoMRequestsRegistry",
            "VersionNodeEdge", "VersionNodeChange", "VersionNodeMerge"}
TEXTS = ("täxt <&> \"quoted\"", "ab" * 32, "abcd", "1", "true", "2020-02-03", "2020-02-03T04:05:06Z", "04:05:06", "image/png",
         "http://hl7.org/fhir/StructureDefinition/minLength", "a:b", "a")
DEEP = 3


def text_for(pattern):
    """Without <, > and &: what it has read the peer compares before it decodes them."""
    fitting = [text for text in (*TEXTS[1:], *pattern.strip("^$()").split("|")) if re.search(pattern, text)]
    assert fitting, f"no text is known that fits {pattern}"
    return fitting[0]


class Samples:
    """links: a hash for each kind of reference. recipes: name to Recipe object."""

    def __init__(self, recipes, links):
        self.recipes = recipes
        self.links = links

    def names(self):
        return sorted(set(self.recipes) - LEFT_OUT)

    def make(self, name, label):
        """label goes into the first id property, so that there can be several."""
        sample = {"$type$": name, **self.members(self.recipes[name]["rule"])}
        for rule in self.recipes[name]["rule"]:
            if rule.get("isId") and self.type_of(rule) == {"type": "string"}:
                sample[rule["itemprop"]] = label
                break
        return sample

    def members(self, rules, depth=0):
        return {rule["itemprop"]: self.value(self.type_of(rule), depth) for rule in rules
                if depth < DEEP and "inheritFrom" not in rule or not rule.get("optional")}

    def type_of(self, rule):
        if "inheritFrom" not in rule:
            return rule.get("itemtype", {"type": "string"})
        source = rule["inheritFrom"]
        path, extract = (source, None) if isinstance(source, str) else (source["rule"], source.get("extract"))
        name, *steps = path.split(".")
        rules = self.recipes[name]["rule"]
        for step in steps:
            found = self.type_of(next(r for r in rules if r["itemprop"] == step))
            inner = found.get("item", found)
            rules = inner.get("rules", [])
        return found["item"] if extract == "CollectionItemType" else found

    def value(self, kind, depth):
        """Below DEEP there is only what has to be: some recipes contain themselves."""
        name = kind["type"]
        if name == "string":
            return text_for(kind["regexp"]) if "regexp" in kind else TEXTS[0]
        if name in ("bag", "array"):
            return [self.value(kind["item"], depth)] if depth < DEEP else []
        if name == "set":
            return {"$set": [self.value(kind["item"], depth)]}
        if name == "map":
            return {"$map": [[self.value(kind["key"], depth), self.value(kind["value"], depth)]]}
        if name == "object":
            return self.members(kind["rules"], depth + 1)
        simple = {"integer": 42, "number": 1.5e-7, "boolean": True, "stringifiable": {"a": [1, "x", None]}}
        return simple[name] if name in simple else self.links[name]
