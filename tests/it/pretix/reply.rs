use webhook_sdk::pretix::Reply;

#[test]
fn only_the_reply_that_says_so_disables_the_webhook() {
    assert!(Reply::done().status().is_success());
    assert!(Reply::send_again().status().is_server_error());
    assert_eq!(Reply::danger_disable_webhook().status().as_u16(), 410);
}
