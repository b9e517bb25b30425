# The software bill of materials, as CycloneDX: which libraries the programs were built with. It has no time and no
# random number, so that the same build makes the same file.
set(components "")
set(refs "")
foreach(need IN LISTS TANDEM_NEEDS)
  string(REPLACE "|" ";" parts ${need})
  list(GET parts 0 name)
  list(GET parts 1 version)
  list(GET parts 2 licence)
  list(APPEND refs "\"${name}\"")
  list(APPEND components "    {\"type\": \"library\", \"bom-ref\": \"${name}\", \"name\": \"${name}\", \
\"version\": \"${version}\", \"licenses\": [{\"license\": {\"id\": \"${licence}\"}}]}")
endforeach()
list(JOIN components ",\n" components)
list(JOIN refs ", " refs)
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/share/tandem.cdx.json CONTENT [[{
  "bomFormat": "CycloneDX",
  "specVersion": "1.5",
  "version": 1,
  "metadata": {"component": {"type": "application", "bom-ref": "tandem", "name": "tandem", "version": "@PROJECT_VERSION@",
    "licenses": [{"license": {"id": "MIT"}}]}},
  "components": [
@components@
  ],
  "dependencies": [{"ref": "tandem", "dependsOn": [@refs@]}]
}
]] @ONLY)
