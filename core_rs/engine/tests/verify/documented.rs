//! docs/examples/receipt.json, made again: whoever changes the format changes what is documented.
use std::path::PathBuf;

use rollcall_engine::records::encoding::b64url;
use rollcall_engine::records::merkle::sha256;
use serde_json::json;

use crate::world::{Parts, activate, session, signed, x};

const TIMELINE: &str = r#"[[1795226143292,1795226163292,"counted"],[1795226163292,1795226173292,"muted"],[1795226173292,1795226203292,"counted"]]"#;

/// Set `ROLLCALL_WRITE_EXAMPLES` to write the file anew.
#[test]
fn the_documented_receipt_is_the_one_that_is_made() {
    let mut draft = session();
    draft["joined_at_ms"] = json!(1_795_226_143_292_u64);
    draft["left_at_ms"] = json!(1_795_226_203_292_u64);
    draft["user_id"] = json!("754679441220698113");
    draft["channel_id"] = json!("1132170995323371523");
    draft["timeline_sha256"] = json!(b64url(&sha256(TIMELINE.as_bytes())));
    let parts = Parts {
        session: signed(1, 5, &draft),
        key_records: vec![
            signed(1, 0, &activate(1)),
            signed(1, 7, &json!({"type": "key.retire", "x": x(1)})),
        ],
        timeline: TIMELINE.to_owned(),
        ..Parts::new()
    };
    let mut made = parts.bytes();
    made.push(b'\n');
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples/receipt.json");
    if std::env::var_os("ROLLCALL_WRITE_EXAMPLES").is_some() {
        std::fs::write(&file, &made).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(file).unwrap(),
        String::from_utf8(made).unwrap()
    );
}
