// Where the programs of this installation are: all in one folder.
#pragma once

// The path of a program in the folder of the running one; released with free.
char *program_beside(const char *name);
