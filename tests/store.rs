//! The contract of the SQL store: every test here runs on SQLite and on PostgreSQL.
//!
//! PostgreSQL is looked for at `FIRSTLINE_TEST_POSTGRES_URL`, with a user who may create schemas. Without it those
//! tests say that they were skipped; with `FIRSTLINE_TEST_ALL=1` they fail instead.
#![expect(clippy::unwrap_used, reason = "what a test can't go on without")]

#[path = "store/bulk.rs"]
mod bulk;
#[path = "store/changes.rs"]
mod changes;
#[path = "store/csat.rs"]
mod csat;
#[path = "store/desk.rs"]
mod desk;
#[path = "support/mod.rs"]
mod doubles;
#[path = "store/identity.rs"]
mod identity;
#[path = "store/ingest.rs"]
mod ingest;
#[path = "store/isolation.rs"]
mod isolation;
#[path = "store/memory.rs"]
mod memory;
#[path = "store/opening.rs"]
mod opening;
#[path = "store/operators.rs"]
mod operators;
#[path = "store/outbox.rs"]
mod outbox;
#[path = "store/privacy.rs"]
mod privacy;
#[path = "store/proofs.rs"]
mod proofs;
#[path = "store/random.rs"]
mod random;
#[path = "store/receipts.rs"]
mod receipts;
#[path = "store/recovery.rs"]
mod recovery;
#[path = "store/shared.rs"]
mod shared;
#[path = "store/snapshot.rs"]
mod snapshot;
#[path = "store/support.rs"]
mod support;
#[path = "store/turns.rs"]
mod turns;
#[path = "store/visitors.rs"]
mod visitors;
#[path = "store/year.rs"]
mod year;

macro_rules! contract {
    ($database:ident: $($module:ident { $($test:ident),* $(,)? })*) => {
        $(mod $module {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                crate::support::run(crate::support::Kind::$database, async |stage| crate::$module::$test(stage).await).await;
            })*
        })*
    };
}

macro_rules! store_contract {
    ($name:ident, $database:ident) => {
        mod $name {
            contract! { $database:
                ingest {
                    first_contact_makes_everything,
                    duplicates_change_nothing,
                    parallel_duplicates_make_one,
                    parallel_first_words_share_a_conversation,
                    what_comes_at_once_was_said_one_after_the_other,
                    a_burst_is_one_turn,
                    a_burst_can_not_postpone_for_ever,
                    the_cursor_goes_with_the_batch,
                    a_batch_is_stored_whole_or_not_at_all,
                    what_is_not_text_has_a_line,
                    people_own_what_is_written_to_them,
                    after_resolution_a_new_conversation_opens,
                    blocking_ends_the_conversation,
                    names_and_languages_are_kept,
                    any_text_can_be_stored,
                }
                changes {
                    a_message_is_known_by_the_channels_id,
                    files_are_kept_with_their_message,
                    what_nobody_has_answered_is_said_in_the_new_words,
                    what_was_answered_is_said_anew,
                    an_edit_of_what_we_never_got_is_a_message,
                    people_see_a_correction_below,
                    what_is_taken_back_is_not_answered,
                    what_is_taken_back_is_forgotten,
                    a_correction_takes_the_place_of_what_was_learnt,
                    an_exchange_keeps_what_is_left_of_it,
                    who_writes_in_the_messenger_has_the_chat,
                    an_address_moves_where_nobody_is,
                    a_number_that_the_channel_vouches_for_is_known,
                }
                csat {
                    buttons_go_with_the_last_part,
                    a_tap_is_a_score_once_and_thanked_for,
                    somebody_elses_tap_is_no_score,
                    a_digit_answers_while_nothing_new_was_begun,
                    a_digit_is_a_message_where_it_can_be_no_answer,
                    who_helped_is_kept_with_the_question,
                    the_rest_of_an_album_is_waited_for,
                }
                turns {
                    the_longest_waiting_goes_first,
                    concurrent_claims_never_meet,
                    an_expired_lease_fences_its_holder,
                    a_lease_can_be_renewed_and_released,
                    a_turn_sees_its_messages,
                    a_draft_serves_the_same_messages_only,
                    a_commit_writes_everything,
                    a_newer_message_supersedes,
                    a_takeover_fences_the_turn,
                    a_handoff_passes_the_conversation,
                    failures_are_counted_until_a_success,
                    writing_and_committing_at_once_loses_nothing,
                }
                operators {
                    taking_silences_the_bot,
                    releasing_an_unanswered_message_wakes_the_bot,
                    what_was_answered_stays_answered,
                    a_withdrawn_answer_is_owed_again,
                    pressing_twice_does_it_once,
                    a_stale_decision_is_refused_and_may_be_repeated,
                    two_operators_can_not_both_take,
                    a_note_stays_among_colleagues,
                    resolving_ends_everything,
                    a_handoff_opens_once,
                    a_notice_needs_its_epoch,
                    taking_from_the_queue_claims_the_handoff,
                }
                visitors {
                    visitors_are_remembered,
                    what_a_site_vouches_for_is_stated_once,
                    a_stranger_becomes_whom_the_site_knows,
                    joined_feeds_are_one_and_part_again,
                    what_was_in_sight_is_read,
                }
                proofs {
                    who_is_new_and_comes_by_a_link_is_who_asked_for_it,
                    a_link_holds_for_its_time_and_place,
                    who_is_known_must_say_that_it_was_them,
                    only_the_link_that_was_asked_about_is_confirmed,
                    a_number_that_two_channels_vouch_for_brings_together,
                    what_is_taken_back_proves_nothing,
                    who_is_not_to_be_remembered_is_nobodys_kin,
                }
                outbox {
                    parts_go_one_after_another,
                    what_is_settled_for_good_does_not_hold_up,
                    concurrent_senders_never_share_a_part,
                    a_stale_retry_neither_goes_nor_blocks,
                    a_stale_retry_is_owed_again_after_release,
                    a_part_of_an_earlier_epoch_is_not_sent_though_the_bot_is_back,
                    an_earlier_epoch_fences_a_turn_that_still_has_its_lease,
                    a_late_failure_fences_the_turn_that_does_not_know_of_it,
                    a_conversation_that_is_held_does_not_hold_up_recovery,
                    a_refused_commit_holds_nothing,
                    an_unknown_send_starts_a_timer_and_may_still_turn_out_well,
                    an_attempt_is_settled_once,
                    an_unreachable_customer_is_let_go,
                    a_message_is_visible_with_its_last_part,
                    a_feed_reader_misses_nothing,
                    timers_are_claimed_finished_and_set_anew,
                    concurrent_timer_claims_never_meet,
                }
                receipts {
                    a_part_comes_further_and_never_back,
                    a_report_settles_what_nobody_could_tell,
                    a_report_may_be_faster_than_the_answer,
                    what_the_channel_gives_up_did_not_arrive,
                    reports_come_in_any_order,
                    what_would_be_too_soon_counts_no_attempt,
                    a_part_tells_when_the_customer_wrote_last,
                }
                recovery {
                    the_dead_lose_their_leases,
                    interrupted_sends_are_resent_or_unknown,
                    an_expired_send_is_recovered_while_its_process_lives,
                    a_stale_interrupted_send_is_never_repeated,
                    a_clean_stop_gives_leases_back,
                    the_living_keep_what_they_hold,
                }
                memory {
                    facts_are_superseded_not_overwritten,
                    an_entry_for_an_older_ledger_is_refused,
                    statements_are_kept_once_and_promises_ring,
                    a_conversation_of_the_past_is_imported_once,
                    an_episode_is_stored_once,
                    an_episode_begins_after_the_last,
                    memory_of_one_customer_is_not_anothers,
                    an_exchange_is_a_question_with_its_answer,
                    an_exchange_knows_what_stands_beside_it,
                    exchanges_are_recalled_by_all_their_keys,
                    an_operator_completes_the_exchange_of_a_handoff,
                    a_withdrawn_answer_leaves_the_index,
                    the_index_can_be_rebuilt,
                    every_index_reads_at_its_own_pace,
                    concurrent_changes_are_not_skipped,
                    a_change_that_commits_late_is_waited_for,
                    a_package_is_replaced_while_the_handoff_is_open,
                }
                snapshot {
                    an_index_reads_on_from_its_snapshot,
                }
                identity {
                    merged_they_are_one,
                    parted_each_has_their_own,
                    an_inner_merge_can_be_undone,
                    what_was_made_with_anothers_memory_in_view_does_not_go_out,
                    who_reads_before_a_merge_can_not_write_after_it,
                    what_one_demands_holds_for_all_of_them,
                    whatever_happens_nobody_has_what_is_anothers,
                }
                privacy {
                    an_export_holds_every_table,
                    who_is_erased_is_gone,
                    nothing_of_the_erased_stays_in_the_files,
                    the_erased_do_not_come_back,
                    what_is_forgotten_is_not_learnt_again,
                    an_erased_customer_leaves_the_index,
                    with_memory_off_nothing_is_learnt_or_recalled,
                    looks_are_noted,
                    what_is_too_old_is_let_go,
                    an_operator_amends_a_fact,
                    a_promise_brings_a_resolved_conversation_back,
                }
                desk {
                    the_queue_is_in_order_of_urgency,
                    a_handoff_is_raised_until_somebody_has_it,
                    a_transcript_can_be_paged,
                    operators_have_logins_and_sessions,
                    undelivered_messages_are_listed_once,
                    the_last_turn_can_be_explained,
                }
                opening {
                    everything_outlives_a_restart,
                    a_newer_schema_is_refused,
                    an_unreadable_row_is_named,
                    the_drivers_can_what_we_need,
                }
                year {
                    a_ledger_of_a_year_is_exact_on_every_day,
                }
                shared {
                    one_process_at_a_time_applies_changes,
                    a_position_that_another_has_moved_goes_back,
                    processes_that_share_an_index_end_up_with_what_the_store_holds,
                    what_was_read_too_early_does_not_bring_the_erased_back,
                }
                isolation {
                    nobody_gets_to_see_anothers_memory,
                }
                random {
                    interleavings_keep_the_invariants,
                }
            }
        }
    };
}

store_contract!(sqlite, Sqlite);
store_contract!(postgres, Postgres);

/// Only SQLite's file has one owner.
#[tokio::test]
async fn a_data_directory_has_one_owner() {
    opening::a_data_directory_has_one_owner().await;
}

#[tokio::test]
async fn a_command_may_look_beside_the_owner() {
    opening::a_command_may_look_beside_the_owner().await;
}
