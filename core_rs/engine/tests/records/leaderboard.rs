use rollcall_engine::records::leaderboard::{Standing, build_entries};
use rollcall_engine::records::merkle::{leaf_hash, node_hash, sha256};
use rollcall_engine::records::profile::parse_canonical;

fn standing(user_id: u64, credited_ms: i64) -> Standing {
    Standing {
        user_id,
        credited_ms,
        session_count: 2,
    }
}

#[test]
fn equal_times_share_a_rank_and_stand_by_user_id() {
    let rows = vec![
        standing(9, 50),
        standing(30, 70),
        standing(4, 0),
        standing(20, 70),
        standing(100, 90),
    ];
    let (entries, _) = build_entries(rows, &[1; 80]).unwrap();
    let order: Vec<_> = entries
        .iter()
        .map(|entry| (entry.rank, entry.user_id))
        .collect();
    assert_eq!(order, [(1, 100), (2, 20), (2, 30), (4, 9), (5, 4)]);
}

#[test]
fn an_entry_is_canonical_and_its_leaf_is_over_the_hash_of_its_json() {
    let salts: Vec<u8> = (0..32).collect();
    let (entries, root) =
        build_entries(vec![standing(1, 5), standing(u64::MAX, 7)], &salts).unwrap();
    assert_eq!(
        entries[0].json,
        r#"{"credited_ms":7,"rank":1,"salt":"AAECAwQFBgcICQoLDA0ODw","session_count":2,"user_id":"18446744073709551615"}"#
    );
    assert!(
        entries[1]
            .json
            .contains(r#""salt":"EBESExQVFhcYGRobHB0eHw""#)
    );
    for entry in &entries {
        assert!(parse_canonical(entry.json.as_bytes()).is_ok());
        assert_eq!(entry.leaf_hash, leaf_hash(&sha256(entry.json.as_bytes())));
    }
    assert_eq!(
        root,
        node_hash(&entries[0].leaf_hash, &entries[1].leaf_hash)
    );
}

#[test]
fn an_empty_period_has_the_empty_trees_root() {
    let (entries, root) = build_entries(vec![], &[]).unwrap();
    assert!(entries.is_empty());
    assert_eq!(root, sha256(b""));
}

#[test]
fn wrong_salts_doubled_users_and_numbers_outside_the_profile_are_refused() {
    let one = || vec![standing(1, 1)];
    for salts in [0, 15, 17, 32] {
        assert!(build_entries(one(), &vec![0; salts]).is_err(), "{salts}");
    }
    assert!(build_entries(vec![standing(1, 1), standing(1, 2)], &[0; 32]).is_err());
    for credited_ms in [-1, 1 << 53, i64::MIN, i64::MAX] {
        assert!(
            build_entries(vec![standing(1, credited_ms)], &[0; 16]).is_err(),
            "{credited_ms}"
        );
    }
    assert!(
        build_entries(
            vec![Standing {
                session_count: -1,
                ..standing(1, 1)
            }],
            &[0; 16]
        )
        .is_err()
    );
}
