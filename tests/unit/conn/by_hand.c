#include "by_hand.h"

#include <stdio.h>

#include "tests/unit/cmocka_all.h"

// ---- Made by hand ----

static const char GROUP_PAIRING[] = "{\"command\":\"connection_group\",\"connectionGroupName\":\"pairing\"}";

static void short_ephemeral(struct scene *s)
{
    struct probe *p = &s->probe;
    probe_request(p);
    handshake_keys_begin(&p->keys, &p->source_secret, &p->node->identity.instance_public, &RANDOM_SYSTEM, NULL);
    struct buf key = {0};
    handshake_seal(&p->keys.long_term, &RANDOM_SYSTEM, (struct span){(const char *)p->keys.ephemeral_public.b, 31},
                   &key);
    probe_send_clear(p, false, buf_span(&key));
    buf_free(&key);
}

static void text_frame(struct scene *s)
{
    probe_handshake(&s->probe);
    probe_send_clear(&s->probe, true, SPAN("hello"));
}

static void counter_three(struct scene *s)
{
    probe_handshake(&s->probe);
    s->probe.codec.send = 3;
    probe_send_text(&s->probe, GROUP_PAIRING);
}

static void counter_even(struct scene *s)
{
    probe_handshake(&s->probe);
    s->probe.codec.send = 0;
    probe_send_text(&s->probe, GROUP_PAIRING);
}

static void send_padded(struct scene *s, const char *head, size_t head_len, size_t filler, const char *message)
{
    struct buf plaintext = {0};
    buf_add(&plaintext, head, head_len);
    memset(buf_reserve(&plaintext, filler + 1), 7, filler);
    plaintext.len += filler;
    buf_add_text(&plaintext, message);
    probe_handshake(&s->probe);
    probe_send_plaintext(&s->probe, buf_span(&plaintext));
    buf_free(&plaintext);
}

static void no_padding(struct scene *s)
{
    send_padded(s, "\x10", 1, 0, GROUP_PAIRING);
}

static void long_padding(struct scene *s)
{
    send_padded(s, "\x13\x01\x11\x70", 4, 70000, GROUP_PAIRING);
}

static void all_flags(struct scene *s)
{
    send_padded(s, "\xf0", 1, 0, GROUP_PAIRING);
}

static void padding_beyond(struct scene *s)
{
    send_padded(s, "\x11\xe8", 2, 3, "");
}

static void empty_plaintext(struct scene *s)
{
    send_padded(s, "", 0, 0, "");
}

static void end_without_start(struct scene *s)
{
    probe_handshake(&s->probe);
    probe_send_text(&s->probe, "fragmentation_end");
}

static void nested_start(struct scene *s)
{
    probe_handshake(&s->probe);
    probe_send_text(&s->probe, "fragmentation_start_string");
    probe_send_text(&s->probe, "fragmentation_start_binary");
}

static void text_between(struct scene *s)
{
    probe_handshake(&s->probe);
    probe_send_text(&s->probe, "fragmentation_start_string");
    probe_send_text(&s->probe, "hello");
}

static void fragmented_with_keepalive(struct scene *s)
{
    probe_handshake(&s->probe);
    probe_send_text(&s->probe, "fragmentation_start_string");
    probe_send(&s->probe, false, (struct span){GROUP_PAIRING, 20});
    probe_send_text(&s->probe, "keepalive");
    probe_send(&s->probe, false, span_of(GROUP_PAIRING + 20));
    probe_send_text(&s->probe, "fragmentation_end");
}

static void long_text(struct scene *s)
{
    struct buf text = {0};
    buf_add_text(&text, "{\"command\":\"connection_group\",\"connectionGroupName\":\"pairing\",\"pad\":\"");
    memset(buf_reserve(&text, 200000), 'x', 200000);
    text.len += 200000;
    buf_add_text(&text, "\"}");
    probe_handshake(&s->probe);
    probe_send(&s->probe, true, buf_span(&text));
    buf_free(&text);
}

static void silence(struct scene *s)
{
    probe_handshake(&s->probe);
    probe_send_text(&s->probe, GROUP_PAIRING);
    pipe_sleep(s->world, 20000);
    assert_non_null(strstr(buf_cstr(&s->probe.log), "\nkeepalive\n"));
    assert_false(s->probe.closed);
    pipe_sleep(s->world, 5000);
}

static void nothing_at_all(struct scene *s)
{
    pipe_sleep(s->world, 9999);
    assert_false(s->probe.closed);
    pipe_sleep(s->world, 1);
}

// All the way to the pairing protocol with an honest identity.
static void authenticate(struct scene *s, const char *email, const char *name)
{
    struct probe *p = &s->probe;
    struct hash person;
    exchange_person_id(s->recipes, span_of(email), &person, NULL);
    struct conn_identity identity = {
        .email = mem_text(span_of(email)),
        .instance_name = mem_text(span_of(name)),
        .person_id = person,
        .person_public = p->person_public,
    };
    void (*const writers[])(const struct conn_identity *, struct buf *) = {exchange_write_person, exchange_write_keys};
    probe_handshake(p);
    probe_send_text(p, GROUP_PAIRING);
    for (size_t i = 0; i < 2; i++) {
        struct buf message = {0};
        writers[i](&identity, &message);
        probe_send(p, true, buf_span(&message));
        buf_free(&message);
    }
    probe_respond(p, false);
    probe_challenge(p);
    struct buf message = {0};
    exchange_write_instance(&identity, "", &message);
    probe_send(p, true, buf_span(&message));
    buf_free(&message);
    free(identity.email);
    free(identity.instance_name);
}

static void forged_identity(struct scene *s)
{
    tokens_issue(s->node.tokens, &s->node.identity.person_id, NULL, 0, (int64_t)1 << 52, &s->token, NULL);
    authenticate(s, "attacker@probe.test", "attacker");
    char text[200];
    snprintf(text, sizeof text, "{\"command\":\"authentication_token\",\"token\":\"%s\"}", s->token.text);
    probe_send_text(&s->probe, text);
    char email[] = "victim@probe.test", name[] = "attacker";
    struct pairing_identity victim = {.email = email,
                                      .instance_name = name,
                                      .person_public = s->probe.person_public,
                                      .instance_public = s->probe.instance_public};
    struct buf message = {0};
    pairing_identity_write(&victim, &message);
    probe_send(&s->probe, true, buf_span(&message));
    buf_free(&message);
    assert_int_equal(s->node.store_count, 0);
    assert_int_equal(tokens_count(s->node.tokens), 1); // a failed attempt does not use it up
}

static const struct {
    const char *name;
    by_hand_play play;
} BY_HAND[] = {
    {"phase1: nothing sent (10 s)", nothing_at_all},
    {"phase2: 31 byte ephemeral key", short_ephemeral},
    {"enc: text frame", text_frame},
    {"enc: wrong nonce (3 instead of 1)", counter_three},
    {"enc: even nonce", counter_even},
    {"enc: no padding at all accepted", no_padding},
    {"enc: 3-byte pad length field, 70000 pad bytes accepted", long_padding},
    {"enc: flag bits 0xF", all_flags},
    {"enc: pad length beyond message", padding_beyond},
    {"enc: empty plaintext", empty_plaintext},
    {"frag: end without start", end_without_start},
    {"frag: nested start", nested_start},
    {"frag: text message between fragments", text_between},
    {"frag: fragmented small string + keepalive in between accepted", fragmented_with_keepalive},
    {"frag: unfragmented 200000 char string accepted", long_text},
    {"keepalive: reference sends after 20 s, gives up after 25 s of silence", silence},
    {"pairing: identity message naming another person (victim) than the one authenticated", forged_identity},
};

// ---- Cases that need something known before ----

static struct known_peer *know_probe(struct scene *s, const char *email)
{
    struct known_peer *k = &s->node.known[s->node.known_count++];
    k->person_key = s->probe.person_public;
    k->instance_key = s->probe.instance_public;
    exchange_person_id(s->recipes, span_of(email), &k->person, NULL);
    return k;
}

static void know_other_key(struct scene *s, const char *email)
{
    struct known_peer *k = know_probe(s, email);
    random_bytes(k->person_key.b, BOX_KEY);
    random_bytes(k->instance_key.b, BOX_KEY);
}

static void know_other_person(struct scene *s, const char *email)
{
    random_bytes(know_probe(s, email)->person.b, HASH_SIZE);
}

static void know_other_instance(struct scene *s, const char *email)
{
    random_bytes(know_probe(s, email)->instance.b, HASH_SIZE);
}

static void know_itself(struct scene *s, const char *email)
{
    (void)email;
    node_learn(&s->node, &s->node);
}

static void admit_nobody(struct scene *s, const char *email)
{
    (void)email;
    s->node.not_admitted = true;
}

static void refuse_strangers(struct scene *s, const char *email)
{
    (void)email;
    s->node.refuse_unknown = true;
}

static const struct {
    const char *name;
    by_hand_prepare prepare;
} PREPARED[] = {
    {"known person, different person key, via pairing", know_other_key},
    {"known person, different person key, via chum with new instance key", know_other_key},
    {"known instance key, other person", know_other_person},
    {"known instance key, other instance name", know_other_instance},
    {"same person as the acceptor, own new keys", know_itself},
    {"group: chum by stranger, listener up but no catch-all", admit_nobody},
    {"group: pairing by known peer, no catch-all", admit_nobody},
    {"chum: unknown person", refuse_strangers},
    {"initiator: other person id", know_other_person},
};

by_hand_play by_hand_find(const char *name)
{
    for (size_t i = 0; i < sizeof BY_HAND / sizeof BY_HAND[0]; i++)
        if (strcmp(BY_HAND[i].name, name) == 0)
            return BY_HAND[i].play;
    return NULL;
}

by_hand_prepare by_hand_preparation(const char *name)
{
    for (size_t i = 0; i < sizeof PREPARED / sizeof PREPARED[0]; i++)
        if (strcmp(PREPARED[i].name, name) == 0)
            return PREPARED[i].prepare;
    return NULL;
}
