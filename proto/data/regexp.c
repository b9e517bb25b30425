// A match that costs more than its limits counts as one: what it would have refused is then taken, and nobody can stop
// us with an expression.
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <stdlib.h>

#include "data/recipe_internal.h"

// Expressions come from recipes and texts from peers: what a match may cost is bounded.
enum { STEPS_MAX = 200000, DEPTH_MAX = 2000, HEAP_MAX_KIB = 4096 };

struct regexp {
    struct regexp *next;
    pcre2_code *code;
    pcre2_match_data *data;
    pcre2_match_context *limits;
};

// JavaScript's reading of an expression without flags, as far as PCRE2 has it.
static pcre2_code *compile(struct span source)
{
    uint32_t options = PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_ALT_BSUX | PCRE2_MATCH_UNSET_BACKREF |
                       PCRE2_ALLOW_EMPTY_CLASS | PCRE2_NEVER_BACKSLASH_C;
    int code;
    PCRE2_SIZE offset;
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    pcre2_set_newline(context, PCRE2_NEWLINE_ANYCRLF);
    pcre2_set_parens_nest_limit(context, 100);
    pcre2_code *re = pcre2_compile((PCRE2_SPTR)source.ptr, source.len, options, &code, &offset, context);
    pcre2_compile_context_free(context);
    return re;
}

const struct regexp *regexp_create(struct span source, struct regexp **list)
{
    pcre2_code *code = compile(source);
    if (code == NULL)
        return NULL;
    struct regexp *re = mem_alloc(sizeof *re);
    re->code = code;
    re->data = pcre2_match_data_create(1, NULL);
    re->limits = pcre2_match_context_create(NULL);
    pcre2_set_match_limit(re->limits, STEPS_MAX);
    pcre2_set_depth_limit(re->limits, DEPTH_MAX);
    pcre2_set_heap_limit(re->limits, HEAP_MAX_KIB);
    re->next = *list;
    *list = re;
    return re;
}

void regexp_destroy_list(struct regexp *list)
{
    while (list != NULL) {
        struct regexp *next = list->next;
        pcre2_match_context_free(list->limits);
        pcre2_match_data_free(list->data);
        pcre2_code_free(list->code);
        free(list);
        list = next;
    }
}

bool regexp_matches(const struct regexp *re, struct span text)
{
    if (re == NULL)
        return true;
    int n = pcre2_match(re->code, (PCRE2_SPTR)(text.ptr != NULL ? text.ptr : ""), text.len, 0, 0, re->data, re->limits);
    return n >= 0 || n == PCRE2_ERROR_MATCHLIMIT || n == PCRE2_ERROR_DEPTHLIMIT || n == PCRE2_ERROR_HEAPLIMIT;
}
