// A service is told of once for each interface and each version of IP by which it is seen. Its name is what makes it
// one; addresses are those of the places where it is seen, the one that others in the network dial first in front.
#include "supervisor/discovery/found.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/text.h"

struct place {
    int interface; // by number
    bool ipv6;
    char address[INET6_ADDRSTRLEN]; // "" = none
    int rank;                       // the least is dialled first
};

struct service {
    char name[FOUND_NAME_MAX + 1];
    char host[ADDRESS_HOST_MAX + 1]; // "" = none that can be one
    uint16_t port;
    int64_t seen_at;
    json_t *txt;
    struct place places[FOUND_ADDRESSES_MAX];
    size_t count;
};

struct found {
    struct service *services[FOUND_MAX];
    size_t count;
    size_t left_out;
};

enum { LOOPBACK = 1 }; // Linux gives lo this number, in every namespace
enum { RANK_IPV4, RANK_IPV6, RANK_LINK, RANK_MACHINE };

struct found *found_create(void)
{
    return mem_alloc(sizeof(struct found));
}

static void service_free(struct service *s)
{
    json_decref(s->txt);
    free(s);
}

void found_destroy(struct found *f)
{
    for (size_t i = 0; f != NULL && i < f->count; i++)
        service_free(f->services[i]);
    free(f);
}

// --- what is said ----------------------------------------------------------------------------------------------------

static bool take_text(const json_t *object, const char *member, char *out, size_t size)
{
    const json_t *value = json_object_get(object, member);
    size_t len = json_string_length(value);
    if (len == 0 || len >= size || strlen(json_string_value(value)) != len)
        return false;
    memcpy(out, json_string_value(value), len + 1);
    return true;
}

static bool take_key(const json_t *said, struct service *s, struct place *p)
{
    const json_t *ipv6 = json_object_get(said, "ipv6");
    json_int_t interface = json_integer_value(json_object_get(said, "interface"));
    p->ipv6 = json_is_true(ipv6);
    p->interface = (int)interface;
    return json_is_boolean(ipv6) && interface > 0 && interface <= INT_MAX &&
           take_text(said, "name", s->name, sizeof s->name);
}

// Written anew, as it may have been written oddly. What nobody can be dialled at is none.
static bool take_address(const json_t *said, struct place *p)
{
    char text[INET6_ADDRSTRLEN];
    struct in_addr v4;
    struct in6_addr v6;
    bool here = p->interface == LOOPBACK; // others must not lead us to ourselves
    if (!take_text(said, "address", text, sizeof text))
        return false;
    if (!p->ipv6) {
        bool ok = inet_pton(AF_INET, text, &v4) == 1;
        const unsigned char *b = (const unsigned char *)&v4;
        p->rank = ok && b[0] == 127 ? RANK_MACHINE : ok && b[0] == 169 && b[1] == 254 ? RANK_LINK : RANK_IPV4;
        return ok && b[0] != 0 && b[0] < 224 && (here || p->rank != RANK_MACHINE) &&
               inet_ntop(AF_INET, &v4, p->address, sizeof p->address) != NULL;
    }
    bool ok = inet_pton(AF_INET6, text, &v6) == 1;
    p->rank = ok && IN6_IS_ADDR_LOOPBACK(&v6) ? RANK_MACHINE : ok && IN6_IS_ADDR_LINKLOCAL(&v6) ? RANK_LINK : RANK_IPV6;
    return ok && !IN6_IS_ADDR_UNSPECIFIED(&v6) && !IN6_IS_ADDR_MULTICAST(&v6) && !IN6_IS_ADDR_V4MAPPED(&v6) &&
           (here || p->rank != RANK_MACHINE) && inet_ntop(AF_INET6, &v6, p->address, sizeof p->address) != NULL;
}

// {"key":"value"}; of two of one key the first counts (RFC 6763 6.4).
static bool take_txt(const json_t *list, json_t *out)
{
    size_t i;
    const json_t *item;
    if (list != NULL && (!json_is_array(list) || json_array_size(list) > FOUND_TXT_MAX))
        return false;
    json_array_foreach(list, i, item)
    {
        const char *text = json_string_value(item);
        size_t len = json_string_length(item);
        if (text == NULL || strlen(text) != len || len > (size_t)3 * FOUND_TXT_BYTES)
            return false;
        size_t key = strcspn(text, "=");
        if (key == 0 || json_object_getn(out, text, key) != NULL)
            continue;
        const char *value = text[key] == '=' ? text + key + 1 : "";
        json_object_setn_new(out, text, key, json_string(value));
    }
    return true;
}

static bool take_port(const json_t *said, struct service *s)
{
    json_int_t port = json_integer_value(json_object_get(said, "port"));
    s->port = (uint16_t)port;
    return port > 0 && port <= UINT16_MAX;
}

// --- the table -------------------------------------------------------------------------------------------------------

static size_t find_service(const struct found *f, const char *name)
{
    size_t i = 0;
    while (i < f->count && strcmp(f->services[i]->name, name) != 0)
        i++;
    return i;
}

static size_t find_place(const struct service *s, const struct place *p)
{
    size_t i = 0;
    while (i < s->count && (s->places[i].ipv6 != p->ipv6 || s->places[i].interface != p->interface))
        i++;
    return i;
}

static void put_place(struct service *s, const struct place *p)
{
    size_t i = find_place(s, p);
    if (i == FOUND_ADDRESSES_MAX)
        return;
    s->places[i] = *p;
    s->count += i == s->count ? 1 : 0;
}

static struct service *room_for(struct found *f, const char *name)
{
    size_t i = find_service(f, name);
    if (i < f->count)
        return f->services[i];
    if (f->count == FOUND_MAX) {
        f->left_out++;
        return NULL;
    }
    f->services[f->count] = mem_alloc(sizeof(struct service));
    return f->services[f->count++];
}

static bool take_found(struct found *f, const json_t *said, int64_t now_ms)
{
    struct service fresh = {.seen_at = now_ms};
    struct place p = {0};
    if (!take_key(said, &fresh, &p) || !take_address(said, &p) || !take_port(said, &fresh))
        return false;
    if (!take_text(said, "host", fresh.host, sizeof fresh.host) || !address_is_host(fresh.host))
        fresh.host[0] = '\0';
    fresh.txt = json_object();
    struct service *s = take_txt(json_object_get(said, "txt"), fresh.txt) ? room_for(f, fresh.name) : NULL;
    if (s == NULL) {
        json_decref(fresh.txt);
        return false;
    }
    memcpy(fresh.places, s->places, sizeof fresh.places);
    fresh.count = s->count;
    json_decref(s->txt);
    *s = fresh;
    put_place(s, &p);
    return true;
}

static bool take_gone(struct found *f, const json_t *said)
{
    struct service which = {0};
    struct place p = {0};
    if (!take_key(said, &which, &p))
        return false;
    size_t i = find_service(f, which.name);
    if (i == f->count)
        return true;
    struct service *s = f->services[i];
    size_t k = find_place(s, &p);
    if (k < s->count)
        s->places[k] = s->places[--s->count];
    if (s->count == 0) {
        service_free(s);
        f->services[i] = f->services[--f->count];
    }
    return true;
}

bool found_take(struct found *f, const json_t *said, int64_t now_ms)
{
    const json_t *seen = json_object_get(said, "found");
    const json_t *gone = json_object_get(said, "gone");
    return seen != NULL ? take_found(f, seen, now_ms) : gone != NULL && take_gone(f, gone);
}

// --- the list --------------------------------------------------------------------------------------------------------

static int by_rank(const void *a, const void *b)
{
    const struct place *x = a;
    const struct place *y = b;
    return x->rank != y->rank ? x->rank - y->rank : strcmp(x->address, y->address);
}

static int by_name(const void *a, const void *b)
{
    const struct service *const *x = a;
    const struct service *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

// An address of one link means nothing without its interface, which no URL can name: there the host's name has to do.
static json_t *url_of(const struct service *s, const struct place *best)
{
    struct buf url = {0};
    bool named = best->rank == RANK_LINK && best->ipv6;
    if (named && s->host[0] == '\0')
        return json_null();
    buf_add_text(&url, "ws://");
    address_write(named ? s->host : best->address, s->port, &url);
    json_t *text = json_string(buf_cstr(&url));
    buf_free(&url);
    return text;
}

static json_t *show(const struct service *s, const char *own)
{
    struct place places[FOUND_ADDRESSES_MAX];
    json_t *addresses = json_array();
    memcpy(places, s->places, sizeof places);
    qsort(places, s->count, sizeof *places, by_rank);
    for (size_t i = 0; i < s->count; i++) {
        bool again = i > 0 && strcmp(places[i].address, places[i - 1].address) == 0;
        bool scoped = places[i].rank == RANK_LINK && places[i].ipv6;
        if (scoped)
            json_array_append_new(addresses, json_sprintf("%s%%%d", places[i].address, places[i].interface));
        else if (!again)
            json_array_append_new(addresses, json_string(places[i].address));
    }
    return json_pack("{s:s, s:o, s:o, s:i, s:o, s:b, s:I, s:O}", "name", s->name, "host",
                     s->host[0] != '\0' ? json_string(s->host) : json_null(), "addresses", addresses, "port", s->port,
                     "url", url_of(s, &places[0]), "own", strcmp(s->name, own) == 0, "seenAt", (json_int_t)s->seen_at,
                     "txt", s->txt);
}

json_t *found_list(const struct found *f, const char *own)
{
    struct service *sorted[FOUND_MAX];
    json_t *list = json_array();
    memcpy(sorted, f->services, f->count * sizeof *sorted);
    qsort(sorted, f->count, sizeof *sorted, by_name);
    for (size_t i = 0; i < f->count; i++)
        json_array_append_new(list, show(sorted[i], own));
    return list;
}

size_t found_left_out(const struct found *f)
{
    return f->left_out;
}

void found_again(struct found *f)
{
    f->left_out = 0;
}

bool found_is_ours(const json_t *name, const char *given)
{
    static const char digits[] = "0123456789";
    const char *text = json_string_value(name);
    size_t len = strlen(given);
    if (text == NULL || strlen(text) != json_string_length(name) || strncmp(text, given, len) != 0)
        return false;
    text += len;
    size_t count = strncmp(text, " #", 2) == 0 ? strspn(text + 2, digits) : 0;
    return text[0] == '\0' || (count > 0 && count <= 4 && text[2 + count] == '\0');
}

void found_why(const json_t *why, char out[FOUND_WHY_MAX + 1])
{
    struct span text = {json_string_value(why), json_string_length(why)};
    if (text.len == 0 || !text_is_plain(text))
        text = span_of("it gives no reason");
    text = utf8_beginning(text, FOUND_WHY_MAX);
    memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
}
