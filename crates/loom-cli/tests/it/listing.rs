//! `loom list` and `loom show`.

use crate::home::Home;

#[test]
fn a_database_that_is_not_there_lists_as_empty_and_is_not_made() {
    let home = Home::new();
    let listed = home.loom(&["list"]);
    assert_eq!((listed.code, listed.stdout.as_str()), (0, ""));
    assert!(listed.stderr.contains("no tasks"));
    assert_eq!(home.tasks().len(), 0);
    home.loom(&["show", "1"]).says(3, &["no task 1", "[not_found]", "hint"]);
    assert_eq!(home.contents(), Vec::<String>::new());
}

#[test]
fn the_list_shows_the_newest_first_with_what_matters() {
    let home = Home::new();
    home.loom(&["run", "-p", "website", "--", "sh", "-c", "exit 3"]);
    home.run(&["echo", "hi"]);
    let listed = home.loom(&["list"]).stdout;
    let lines: Vec<&str> = listed.lines().collect();
    assert!(lines[0].contains("TASK") && lines[0].contains("STATUS"), "{listed}");
    assert!(lines[1].contains('2') && lines[1].contains("completed"), "{listed}");
    for text in ["1", "failed", "sh", "website", "exit status 3"] {
        assert!(lines[2].contains(text), "{text} is not in {listed}");
    }
    assert!(!listed.contains("exit 3"), "arguments may be secrets: {listed}");
}

#[test]
fn filters_choose_among_tasks() {
    let home = Home::new();
    home.loom(&["run", "-p", "one", "--", "true"]);
    home.loom(&["run", "-p", "two", "--", "false"]);
    let listed = |args: &[&str]| home.loom(&[&["list"], args].concat()).stdout.lines().count();
    assert_eq!(listed(&["-p", "one"]), 2);
    assert_eq!(listed(&["-s", "failed,cancelled"]), 2);
    assert_eq!(listed(&["-p", "one", "-s", "failed"]), 0);
    assert_eq!(listed(&["-n", "1"]), 2);
}

#[test]
fn a_task_is_shown_by_number_and_by_id_with_result_and_times() {
    let home = Home::new();
    home.run(&["echo", "hi there"]);
    let id = home.tasks()[0]["id"].as_str().unwrap().to_owned();
    for name in ["1", id.as_str()] {
        let shown = home.loom(&["show", name]);
        assert_eq!(shown.code, 0);
        for text in
            ["task 1", "completed", "echo 'hi there'", "submitted", "ended", "result:\nhi there"]
        {
            assert!(shown.stdout.contains(text), "{text} is not in {}", shown.stdout);
        }
    }
    home.loom(&["show", "7"]).says(3, &["no task 7"]);
    home.loom(&["show", "not-an-id"]).says(3, &["no task not-an-id"]);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let home = Home::new();
    home.run(&["true"]);
    let mut list = home.command(&["list"]);
    let mut child = list.stdout(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}

#[test]
fn another_database_can_be_named_by_option_and_by_variable() {
    let home = Home::new();
    assert_eq!(home.loom(&["--db", "one.db", "run", "--", "true"]).code, 0);
    assert_eq!(home.loom(&["list", "--db", "one.db"]).stdout.lines().count(), 2);
    assert_eq!(home.loom(&["list"]).stdout, "");
    let listed = home.command(&["list"]).env("LOOM_DB", "one.db").output().unwrap();
    assert_eq!(String::from_utf8(listed.stdout).unwrap().lines().count(), 2);
}
