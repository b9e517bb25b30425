// The functions behind the commands, by file.
#pragma once

#include "supervisor/ctl/ctl.h"

#define CTL_RUN(name) enum status name(struct ctl *c, struct error *e)

// cmd_run.c
CTL_RUN(run_up);
CTL_RUN(run_relay);
CTL_RUN(run_ui);
CTL_RUN(run_provision);
void provisioned_print(const json_t *result); // what 'provision' answers
CTL_RUN(run_secret_change);
CTL_RUN(run_deprovision);
CTL_RUN(run_wait);
CTL_RUN(run_restart);
CTL_RUN(run_listener);
CTL_RUN(run_down);
// cmd_status.c
CTL_RUN(run_status);
// cmd_demo.c
CTL_RUN(run_demo);
// cmd_discovery.c
CTL_RUN(run_discovery_switch);
CTL_RUN(run_discovery_list);
// cmd_simulate.c
CTL_RUN(run_simulate);
// cmd_peers.c
CTL_RUN(run_invite);
CTL_RUN(run_invite_list);
CTL_RUN(run_invite_revoke);
CTL_RUN(run_pair);
CTL_RUN(run_pair_list);
CTL_RUN(run_pair_cancel);
CTL_RUN(run_contacts);
CTL_RUN(run_contact_change);
CTL_RUN(run_contact_name);
CTL_RUN(run_connections);
void connections_print(struct ctl *c, json_t *connections); // as a table
CTL_RUN(run_endpoints);
// cmd_chat.c
CTL_RUN(run_chat_send);
CTL_RUN(run_chat_list);
CTL_RUN(run_chat_follow);
// cmd_delete.c
CTL_RUN(run_chat_delete);
CTL_RUN(run_object_delete);
// cmd_export.c
CTL_RUN(run_topic_export);
CTL_RUN(run_chat_export);
// cmd_objects.c
CTL_RUN(run_object_get);
CTL_RUN(run_object_current);
CTL_RUN(run_object_versions);
CTL_RUN(run_object_put);
CTL_RUN(run_recipe_add);
CTL_RUN(run_recipe_list);
CTL_RUN(run_blob_put);
CTL_RUN(run_blob_get);
// cmd_room.c
CTL_RUN(run_storage_quota);
CTL_RUN(run_sync_rule);
// cmd_share.c
CTL_RUN(run_share_change);
CTL_RUN(run_share_list);
CTL_RUN(run_roots);
// cmd_people.c
CTL_RUN(run_profile_get);
CTL_RUN(run_profile_set);
CTL_RUN(run_identity_list);
CTL_RUN(run_identity_add);
CTL_RUN(run_settings_set);
CTL_RUN(run_settings_get);
CTL_RUN(run_settings_list);
CTL_RUN(run_group_create);
CTL_RUN(run_group_change);
CTL_RUN(run_group_list);
CTL_RUN(run_channel_create);
CTL_RUN(run_channel_post);
CTL_RUN(run_channel_read);
CTL_RUN(run_channel_list);
CTL_RUN(run_trust_list);
CTL_RUN(run_trust_certify);
CTL_RUN(run_trust_verify);
// cmd_topics.c
CTL_RUN(run_topic_create);
CTL_RUN(run_topic_list);
CTL_RUN(run_topic_members);
CTL_RUN(run_topic_change);
CTL_RUN(run_topic_rename);
CTL_RUN(run_topic_leave);
CTL_RUN(run_topic_read_up_to);
CTL_RUN(run_chat_search);
CTL_RUN(run_topic_send);
CTL_RUN(run_topic_read);
// cmd_watch.c
CTL_RUN(run_id);
CTL_RUN(run_storage);
CTL_RUN(run_events);
CTL_RUN(run_metrics);
// cmd_stats.c
CTL_RUN(run_stats);
CTL_RUN(run_report);
CTL_RUN(run_health);
CTL_RUN(run_trace);
// cmd_log.c
CTL_RUN(run_log);
// cmd_doctor.c
CTL_RUN(run_doctor);
// cmd_config.c
CTL_RUN(run_config_show);
// cmd_config_set.c
CTL_RUN(run_config_set);
// cmd_store.c
CTL_RUN(run_verify);
CTL_RUN(run_repair);
// completion.c
CTL_RUN(run_completion);
// cmd_backup.c
CTL_RUN(run_backup);
// cmd_backup_look.c
CTL_RUN(run_backup_verify);
CTL_RUN(run_backup_list);
// cmd_restore.c
CTL_RUN(run_restore);
// cmd_onedb.c
CTL_RUN(run_import);
CTL_RUN(run_export);
