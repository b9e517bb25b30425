// What works of this node, part by part: its share of the board that status shows. Loop thread.
#pragma once

#include <jansson.h>

struct node;

// {invitationCreation, cryptoRegistration, handshake, chum}, each {state,reason}; state is working, failing or idle.
json_t *board_show(struct node *n);
