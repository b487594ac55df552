//! What every store guarantees, as cases that a store passes or fails.
//!
//! A store's tests name a [`StoreFactory`] to [`store_conformance!`](crate::store_conformance) and
//! get one test for each case. A failure says which guarantee is broken. Cases about a
//! [`Capability`](loom_core::Capability) that the store does not name, and those about a second
//! handle where the factory gives none, hold trivially.

pub mod attempts;
pub mod batches;
pub mod calls;
pub mod cancels;
pub mod changes;
pub mod claims;
pub mod holds;
pub mod imports;
pub mod instances;
pub mod places;
pub mod pruning;
pub mod queries;
pub mod records;

mod actor;
mod harness;
mod samples;

use std::future::Future;
use std::time::Duration;

use async_trait::async_trait;
use loom_core::TaskStore;

pub use harness::Harness;

use crate::within::within;

/// Opens stores for the suite. A value is made for each test, so that it can hold what must live
/// as long, such as a directory that is removed at the end.
#[async_trait]
pub trait StoreFactory: Send + Sync + 'static {
    /// The store.
    type Store: TaskStore;

    /// Opens a store on a place of its own that nobody has used before.
    async fn create(&self) -> Self::Store;

    /// Opens the place of `store` once more, as another process would. `None` if that is not
    /// possible.
    async fn reopen(&self, store: &Self::Store) -> Option<Self::Store> {
        let _ = store;
        None
    }
}

/// Longer than any case takes on a busy machine.
const CASE_MAX: Duration = Duration::from_secs(120);

/// Runs one case on a runtime of its own. [`store_conformance!`](crate::store_conformance) calls
/// it for each.
///
/// # Panics
/// If the case fails, or does not end within two minutes.
pub fn run(case: impl Future<Output = ()>) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    match runtime {
        Ok(runtime) => runtime.block_on(within(CASE_MAX, case)),
        Err(error) => harness::broken(&format!("a runtime to test with ({error})")),
    }
}

/// Makes a test of each case of the suite, in the module that it stands in.
///
/// Takes an expression of a type that implements [`StoreFactory`](crate::StoreFactory). It is
/// evaluated once for each test, within an async block.
/// [The crate's own page](crate) has an example.
#[macro_export]
macro_rules! store_conformance {
    ($factory:expr) => {
        $crate::conformance_cases! { [$factory]
            attempts::earlier_attempts_stay_readable_in_order,
            attempts::a_hundred_attempts_are_kept,
            attempts::an_attempt_is_listed_once,
            attempts::a_task_that_never_ran_has_no_attempts,
            attempts::a_long_output_of_an_earlier_attempt_is_cut,
            batches::a_refused_batch_leaves_nothing,
            batches::an_op_without_effect_does_not_disturb_its_neighbours,
            batches::answers_stand_in_the_order_of_their_ops,
            batches::an_id_is_inserted_once,
            batches::numbers_for_people_grow_and_do_not_repeat,
            batches::a_repeated_number_answers_as_before_and_changes_nothing,
            batches::a_repeated_number_changes_nothing_even_with_other_ops,
            batches::numbers_belong_to_their_instance,
            batches::only_instances_that_joined_may_commit,
            batches::progress_counts_before_the_end_that_came_with_it,
            batches::inserts_count_before_what_changes_them,
            batches::changes_of_one_task_follow_one_another,
            batches::the_first_of_two_ends_wins,
            batches::a_batch_of_nothing_is_fine,
            calls::a_session_of_an_engine_without_a_name_is_refused,
            calls::a_created_task_belongs_to_the_engine_of_its_session,
            calls::a_created_task_names_its_daemon_or_none,
            calls::an_id_is_created_once,
            calls::a_request_that_cannot_be_taken_leaves_no_row,
            calls::a_call_about_an_unknown_task_says_so,
            calls::a_list_is_of_one_project_and_one_engine,
            calls::a_list_by_statuses_has_the_tasks_of_any_of_them,
            calls::a_list_of_everything_has_the_tasks_of_all_engines,
            calls::counts_are_of_one_engine_unless_all_are_asked_for,
            calls::a_task_goes_its_way_step_by_step,
            calls::what_no_task_may_do_is_refused,
            calls::a_stale_expectation_changes_nothing,
            calls::every_end_by_hand_leaves_a_sound_task,
            calls::a_result_ends_its_task,
            calls::an_error_ends_its_task_and_tells_no_secret,
            calls::only_a_running_task_takes_a_result,
            calls::only_whoever_has_a_task_in_hand_reports_of_it,
            calls::a_cancel_that_was_asked_for_wins_over_a_call,
            calls::only_what_the_dead_had_in_hand_is_marked_as_crashed,
            calls::a_cancel_that_was_asked_for_outlives_the_tasks_owner,
            calls::the_living_and_other_engines_keep_their_tasks,
            calls::what_only_the_dead_might_have_run_is_marked_as_crashed,
            cancels::a_waiting_task_is_cancelled_at_once,
            cancels::a_task_in_hand_is_asked_to_end,
            cancels::a_recorded_cancel_wins_over_every_end,
            cancels::a_cancel_after_the_end_changes_nothing,
            cancels::a_cancel_of_nothing_is_not_found,
            cancels::a_repeated_cancel_keeps_the_first_time,
            cancels::an_end_before_a_cancel_in_one_batch_is_kept,
            cancels::a_cancel_before_an_end_in_one_batch_wins,
            cancels::the_owner_learns_of_cancels_with_its_next_claim,
            changes::every_row_of_the_table_changes_what_the_model_changes,
            changes::what_the_table_does_not_allow_is_stale_and_changes_nothing,
            changes::a_change_of_an_older_claim_is_stale,
            changes::a_change_of_an_unknown_task_changes_nothing,
            changes::time_never_runs_backwards_within_a_task,
            changes::retries_are_counted_by_their_reason,
            changes::progress_is_added_up_and_keeps_the_last_line,
            changes::progress_of_an_older_claim_is_stale,
            changes::only_ended_tasks_have_an_end_and_only_failed_ones_an_error,
            claims::the_longest_due_comes_first,
            claims::equally_due_tasks_come_in_the_order_of_their_numbers,
            claims::a_claim_takes_no_more_than_its_limit,
            claims::a_lane_takes_no_more_than_its_limit,
            claims::a_full_lane_does_not_hold_up_the_others,
            claims::only_named_worker_types_are_taken,
            claims::what_is_due_later_stays,
            claims::a_retrying_task_is_taken_when_it_is_due,
            claims::only_tasks_of_its_engine_are_taken,
            claims::a_pinned_task_is_only_for_its_instance,
            claims::a_pinned_claim_takes_nothing_else,
            claims::a_claimed_task_is_running_and_in_the_hands_of_its_claimer,
            claims::every_claim_has_a_fresh_epoch,
            claims::a_claim_takes_what_its_batch_inserted,
            claims::what_was_due_before_goes_before_what_its_batch_inserted,
            claims::a_claim_of_nothing_takes_nothing_and_tells,
            claims::the_next_due_time_is_that_of_the_first_not_due_yet,
            claims::without_a_claim_nothing_is_told,
            claims::no_task_is_claimed_twice,
            holds::a_store_that_cannot_hold_refuses_the_batch,
            holds::a_held_account_is_left_out_until_its_end,
            holds::the_end_of_a_hold_is_told_as_due,
            holds::a_hold_is_only_lengthened,
            holds::a_release_ends_the_hold_at_once,
            holds::a_hold_counts_before_the_claim_of_its_batch,
            holds::what_is_inserted_during_a_hold_waits,
            holds::other_accounts_are_not_held,
            holds::a_lane_is_open_while_one_of_its_accounts_is_free,
            holds::holds_that_are_over_are_forgotten,
            holds::holds_are_shared_by_all,
            holds::a_repeated_hold_answers_as_before,
            holds::strange_accounts_come_back,
            imports::a_store_that_cannot_import_refuses_the_batch,
            imports::everything_of_an_imported_task_comes_back,
            imports::what_an_imported_task_lacks_stays_lacking,
            imports::an_import_never_overwrites,
            imports::an_id_is_added_once_within_a_batch,
            imports::imported_tasks_that_wait_are_claimed,
            imports::imports_and_inserts_of_a_batch_are_claimed_in_order,
            imports::a_repeated_batch_imports_nothing_more,
            instances::an_instance_lives_while_its_membership_is_held,
            instances::a_dead_instance_is_handed_to_one_at_a_time,
            instances::a_buried_instance_is_forgotten,
            instances::instances_of_other_engines_are_not_seen,
            instances::what_a_dead_instance_had_in_hand_is_found,
            instances::an_instance_that_left_may_not_commit,
            instances::an_announced_type_is_found_elsewhere,
            places::prepare_can_be_repeated,
            places::a_closed_store_says_so,
            places::a_commit_through_another_handle_is_noticed,
            places::a_commit_before_the_wait_is_noticed,
            places::what_was_committed_is_there_for_all_handles,
            places::everything_is_there_after_reopening,
            pruning::a_store_that_cannot_prune_refuses_the_batch,
            pruning::only_what_ended_before_is_removed,
            pruning::the_oldest_go_first_up_to_the_limit,
            pruning::other_engines_are_spared,
            pruning::attempts_go_with_their_task,
            pruning::pruning_counts_after_ends_of_its_batch,
            pruning::a_number_is_not_used_again,
            queries::tasks_come_in_the_order_asked_for,
            queries::unknown_tasks_are_left_out,
            queries::a_list_starts_with_the_newest_or_the_oldest,
            queries::pages_have_no_gaps_and_no_repeats,
            queries::what_comes_while_paging_disturbs_nothing,
            queries::every_filter_filters,
            queries::filters_are_combined,
            queries::counts_equal_lists,
            queries::a_list_shows_summaries_of_what_is_stored,
            records::every_field_of_a_request_comes_back,
            records::what_is_left_out_stays_left_out,
            records::strange_texts_come_back,
            records::a_prompt_of_a_mebibyte_comes_back,
            records::a_timeout_below_a_millisecond_comes_back,
            records::metadata_comes_back,
            records::variables_come_back_by_their_kind,
            records::what_an_attempt_leaves_comes_back,
            records::every_failure_code_comes_back,
        }
    };
}

/// Makes a test of each case that is listed. [`store_conformance!`] names them all.
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_cases {
    ([$factory:expr] $($module:ident :: $case:ident),+ $(,)?) => {
        $(
            #[test]
            fn $case() {
                $crate::conformance::run(async {
                    let harness = $crate::conformance::Harness::new($factory).await;
                    $crate::conformance::$module::$case(&harness).await;
                });
            }
        )+
    };
}
