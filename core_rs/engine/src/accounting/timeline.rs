//! A session's time, cut into segments of one status each, and the sums over it.
use std::iter;

use itoa::Buffer;

use super::json::{Cursor, Raw};

/// What an instant of a session is (sections 4 and 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Status {
    /// Seen and counted.
    Counted = 0,
    /// Not seen, counted since the gap was short.
    Bridged = 1,
    /// Not seen, not counted.
    Unwitnessed = 2,
    /// Paused.
    Deafened = 3,
    /// Paused.
    Muted = 4,
    /// Paused.
    Solo = 5,
}

impl Status {
    /// All of them; the index is the number in packed segments and saved states.
    pub const ALL: [Self; 6] = [
        Self::Counted,
        Self::Bridged,
        Self::Unwitnessed,
        Self::Deafened,
        Self::Muted,
        Self::Solo,
    ];

    /// Its name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counted => "counted",
            Self::Bridged => "bridged",
            Self::Unwitnessed => "unwitnessed",
            Self::Deafened => "deafened",
            Self::Muted => "muted",
            Self::Solo => "solo",
        }
    }

    /// The status of that name.
    pub fn named(name: &[u8]) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|status| status.name().as_bytes() == name)
    }

    /// The status of that number.
    pub fn numbered(number: i64) -> Option<Self> {
        usize::try_from(number)
            .ok()
            .and_then(|index| Self::ALL.get(index))
            .copied()
    }

    /// Whether its time adds to `counted_ms`.
    pub const fn is_counted(self) -> bool {
        matches!(self, Self::Counted | Self::Bridged)
    }
}

/// `[start, end)` with one status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// First millisecond.
    pub start: i64,
    /// The millisecond after the last.
    pub end: i64,
    /// What it was.
    pub status: Status,
}

/// A past segment's end and status in one word: the start is the end of the one before it. Times are within 2^53, so
/// three bits to the left are free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Packed(i64);

impl Packed {
    fn new(end: i64, status: Status) -> Self {
        Self((end << 3) | i64::from(status as u8))
    }

    fn end(self) -> i64 {
        self.0 >> 3
    }

    fn status(self) -> Status {
        Status::numbered(self.0 & 7).unwrap_or(Status::Unwitnessed) // only `new` makes them: the default is never taken
    }
}

/// Segments that are over. Most sessions never have one, so an empty list costs one word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(clippy::box_collection)] // a thin pointer: 8 bytes a member instead of 24
pub(super) struct Past(Option<Box<Vec<Packed>>>);

impl Past {
    fn as_slice(&self) -> &[Packed] {
        self.0.as_deref().map_or(&[], Vec::as_slice)
    }

    /// Where and what the last segment is.
    pub(super) fn last(&self) -> Option<(i64, Status)> {
        self.as_slice()
            .last()
            .map(|packed| (packed.end(), packed.status()))
    }

    /// Adds `[end of the last, end)`; a neighbour of equal status grows instead.
    pub(super) fn push(&mut self, end: i64, status: Status) {
        let packed = self.0.get_or_insert_default();
        match packed.last_mut() {
            Some(last) if last.status() == status => *last = Packed::new(end, status),
            _ => packed.push(Packed::new(end, status)),
        }
    }

    /// Takes the last one back: its status goes on after all.
    pub(super) fn pop(&mut self) {
        if let Some(packed) = &mut self.0 {
            packed.pop();
            if packed.is_empty() {
                self.0 = None;
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.as_slice().len()
    }

    pub(super) fn segments(&self, start: i64) -> impl Iterator<Item = Segment> {
        self.as_slice().iter().scan(start, |start, packed| {
            let segment = Segment {
                start: *start,
                end: packed.end(),
                status: packed.status(),
            };
            *start = segment.end;
            Some(segment)
        })
    }
}

/// A partition of `[joined, end)`: no empty segments, no neighbours of equal status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeline {
    joined_at: i64,
    past: Past,
    since: i64,
    status: Status,
    end: i64,
}

impl Timeline {
    /// `past` reaches from `joined_at` to `since`, then `status` to `end`.
    pub(super) fn new(joined_at: i64, past: Past, since: i64, status: Status, end: i64) -> Self {
        Self {
            joined_at,
            past,
            since,
            status,
            end,
        }
    }

    /// In order of time.
    pub fn segments(&self) -> impl Iterator<Item = Segment> {
        let running = Segment {
            start: self.since,
            end: self.end,
            status: self.status,
        };
        self.past
            .segments(self.joined_at)
            .chain(iter::once(running).filter(|segment| segment.start < segment.end))
    }

    /// The sums over all segments.
    pub fn sums(&self) -> Sums {
        self.segments().collect()
    }

    /// `[[start,end,"status"],…]`, the bytes that `timeline_sha256` is over.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        write_segments(out, self.segments());
    }
}

/// Milliseconds by status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Counted and bridged.
    pub counted: i64,
    /// The bridged part of it.
    pub bridged: i64,
    /// Neither seen nor bridged.
    pub unwitnessed: i64,
    /// Paused.
    pub deafened: i64,
    /// Paused.
    pub muted: i64,
    /// Paused.
    pub solo: i64,
}

impl FromIterator<Segment> for Sums {
    fn from_iter<I: IntoIterator<Item = Segment>>(segments: I) -> Self {
        let mut sums = Self::default();
        for segment in segments {
            let length = segment.end - segment.start;
            match segment.status {
                Status::Counted => sums.counted += length,
                Status::Bridged => {
                    sums.counted += length;
                    sums.bridged += length;
                }
                Status::Unwitnessed => sums.unwitnessed += length,
                Status::Deafened => sums.deafened += length,
                Status::Muted => sums.muted += length,
                Status::Solo => sums.solo += length,
            }
        }
        sums
    }
}

/// Writes segments as compact JSON.
pub fn write_segments(out: &mut Vec<u8>, segments: impl Iterator<Item = Segment>) {
    let mut digits = Buffer::new();
    out.push(b'[');
    for (index, segment) in segments.enumerate() {
        out.extend_from_slice(if index == 0 { b"[" } else { b",[" });
        out.extend_from_slice(digits.format(segment.start).as_bytes());
        out.push(b',');
        out.extend_from_slice(digits.format(segment.end).as_bytes());
        out.extend_from_slice(b",\"");
        out.extend_from_slice(segment.status.name().as_bytes());
        out.extend_from_slice(b"\"]");
    }
    out.push(b']');
}

/// Reads a timeline's JSON; nothing unless it is a list of `[start, end, "status"]` with `start <= end`, in order and
/// without overlap.
pub fn parse_timeline(json: &[u8]) -> Option<Vec<Segment>> {
    std::str::from_utf8(json).ok()?;
    let mut cursor = Cursor::new(json);
    let Ok(Raw::Array(list)) = cursor.whole_value() else {
        return None;
    };
    let mut segments = Vec::new();
    let mut previous = i64::MIN;
    for item in list.elements() {
        let Ok(Raw::Array(triple)) = item else {
            return None;
        };
        let mut parts = triple.elements();
        let (start, end) = (
            parts.next()?.ok()?.integer()?,
            parts.next()?.ok()?.integer()?,
        );
        let status = match parts.next()?.ok()? {
            Raw::String(name) => Status::named(&name.decode())?,
            _ => return None,
        };
        if parts.next().is_some() || start > end || start < previous {
            return None;
        }
        previous = end;
        segments.push(Segment { start, end, status });
    }
    Some(segments)
}

/// The one clipping rule of every report: the parts of a timeline inside `[start, end)`, empty ones left out.
pub fn clip_timeline(segments: &[Segment], start: i64, end: i64) -> impl Iterator<Item = Segment> {
    segments
        .iter()
        .map(move |segment| Segment {
            start: segment.start.max(start),
            end: segment.end.min(end),
            ..*segment
        })
        .filter(|segment| segment.start < segment.end)
}

/// Length of the UTC quarter-hours that statistics are kept in.
const QUARTER_MS: i64 = 900_000;

/// Counted and bridged time by UTC quarter-hour: `(start_ms // 900 000, ms)`, ascending, only where there is some.
pub fn quarters_of(segments: impl Iterator<Item = Segment>) -> Vec<(i64, i64)> {
    let mut quarters: Vec<(i64, i64)> = Vec::new();
    for segment in segments.filter(|segment| segment.status.is_counted()) {
        let mut start = segment.start;
        while start < segment.end {
            let quarter = start.div_euclid(QUARTER_MS);
            let end = segment.end.min((quarter + 1) * QUARTER_MS);
            match quarters.last_mut() {
                Some((last, total)) if *last == quarter => *total += end - start,
                _ => quarters.push((quarter, end - start)),
            }
            start = end;
        }
    }
    quarters
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seg(start: i64, end: i64, status: Status) -> Segment {
        Segment { start, end, status }
    }

    #[test]
    fn a_packed_segment_keeps_negative_and_extreme_times() {
        for end in [-9_007_199_254_740_991, -1, 0, 1, 9_007_199_254_740_991] {
            for status in Status::ALL {
                let packed = Packed::new(end, status);
                assert_eq!((packed.end(), packed.status()), (end, status));
            }
        }
    }

    #[test]
    fn neighbours_of_equal_status_merge_and_json_round_trips() {
        let mut past = Past::default();
        past.push(10, Status::Counted);
        past.push(20, Status::Bridged);
        past.push(30, Status::Bridged);
        let timeline = Timeline::new(0, past, 30, Status::Counted, 45);
        let mut json = Vec::new();
        timeline.write_json(&mut json);
        assert_eq!(
            json,
            br#"[[0,10,"counted"],[10,30,"bridged"],[30,45,"counted"]]"#
        );
        assert_eq!(parse_timeline(&json), Some(timeline.segments().collect()));
        assert_eq!(
            timeline.sums(),
            Sums {
                counted: 45,
                bridged: 20,
                ..Sums::default()
            }
        );
    }

    #[test]
    fn a_timeline_of_length_zero_is_empty() {
        let timeline = Timeline::new(5, Past::default(), 5, Status::Solo, 5);
        assert_eq!(timeline.segments().count(), 0);
    }

    #[test]
    fn clipping_cuts_at_both_ends_and_leaves_empty_parts_out() {
        let all = [
            seg(0, 10, Status::Counted),
            seg(10, 20, Status::Muted),
            seg(20, 30, Status::Counted),
        ];
        let clipped: Vec<_> = clip_timeline(&all, 5, 20).collect();
        assert_eq!(
            clipped,
            [seg(5, 10, Status::Counted), seg(10, 20, Status::Muted)]
        );
        assert_eq!(clip_timeline(&all, 30, 40).count(), 0);
        assert_eq!(clip_timeline(&all, 7, 7).count(), 0);
    }

    #[test]
    fn quarters_split_at_utc_boundaries_also_before_the_epoch() {
        let segments = [
            seg(-100, 50, Status::Counted),
            seg(50, 60, Status::Muted),
            seg(60, 70, Status::Bridged),
            seg(899_999, 1_800_001, Status::Counted),
        ];
        assert_eq!(
            quarters_of(segments.into_iter()),
            [(-1, 100), (0, 61), (1, 900_000), (2, 1)]
        );
    }

    #[test]
    fn damaged_timelines_are_refused() {
        for bad in [
            "",
            "[",
            "{}",
            "[1]",
            "[[1,2]]",
            r#"[[1,2,"x"]]"#,
            r#"[[2,1,"counted"]]"#,
            r#"[[1,2,"counted",3]]"#,
            r#"[[1,2,"counted"],[1,3,"solo"]]"#,
            r#"[[1.0,2,"counted"]]"#,
            r#"[[1,2,"counted"]]x"#,
        ] {
            assert_eq!(parse_timeline(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(parse_timeline(b" [ ] "), Some(vec![]));
    }
}
