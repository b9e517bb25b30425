// Build tool: turns the recorded Recipe objects (JSON files) into a C table of their names and microdata texts.
//
//   embed_recipes OUT core.json models-stable.json …
//
// The first file holds the recipes of the core, all others those of the models.
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static void write_literal(FILE *out, const char *text)
{
    fputc('"', out);
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
        if (*p == '"' || *p == '\\')
            fprintf(out, "\\%c", *p);
        else if (*p < 0x20 || *p >= 0x7F || *p == '?')
            fprintf(out, "\\%03o", *p);
        else
            fputc(*p, out);
    }
    fputc('"', out);
}

static bool write_file(FILE *out, const char *path, bool models)
{
    json_error_t error;
    json_t *root = json_load_file(path, 0, &error);
    if (root == NULL) {
        fprintf(stderr, "%s:%d: %s\n", path, error.line, error.text);
        return false;
    }
    size_t i;
    json_t *recipe;
    json_array_foreach(json_object_get(root, "recipes"), i, recipe)
    {
        const char *name = json_string_value(json_object_get(recipe, "name"));
        const char *microdata = json_string_value(json_object_get(recipe, "microdata"));
        if (name == NULL || microdata == NULL) {
            fprintf(stderr, "%s: recipe %zu lacks its name or text\n", path, i);
            json_decref(root);
            return false;
        }
        fprintf(out, "    {%s, SPAN_CONST(", models ? "true" : "false");
        write_literal(out, name);
        fprintf(out, "),\n     SPAN_CONST(");
        write_literal(out, microdata);
        fprintf(out, ")},\n");
    }
    json_decref(root);
    return true;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: embed_recipes OUT FILE...\n");
        return 2;
    }
    FILE *out = fopen(argv[1], "w");
    if (out == NULL) {
        perror(argv[1]);
        return 1;
    }
    fprintf(out, "// Generated from proto/data/recipes; do not edit.\n"
                 "#include \"data/recipe_internal.h\"\n\n"
                 "#define SPAN_CONST(s) {s, sizeof(s) - 1}\n\n"
                 "const struct recipe_record recipe_records[] = {\n");
    bool good = true;
    for (int i = 2; i < argc && good; i++)
        good = write_file(out, argv[i], i > 2);
    fprintf(out, "};\n\nconst size_t recipe_record_count = sizeof recipe_records / sizeof *recipe_records;\n");
    good = fclose(out) == 0 && good;
    return good ? 0 : 1;
}
