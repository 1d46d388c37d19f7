member-why-self = Your time in this server’s voice channels in the running period, and how it came about.
member-why-other = Time in this server’s voice channels in the running period, and how it came about.
member-to-timeline = Every stretch, explained
member-here = In voice now
member-time = Time
member-time-note = counted in this period
member-rank = Rank
member-no-rank = none yet
member-sessions = Sessions
member-paused = Paused
member-paused-note = by the rules of this server
member-unwitnessed = Unwitnessed
member-unwitnessed-note = not seen, so not counted
member-external = Reported
member-external-note = by other systems; in no total
member-corrected-note = by hand, in this period
member-never-title = Not seen yet
member-never = No time in voice has been recorded here. The first stay in a tracked channel shows up at once.

member-today = Today
member-today-why = { $duration } counted so far, by the server’s clocks.
member-today-link = { $count ->
    [0] Look at today
    [one] Look at today’s one stretch
   *[other] Look at today’s { $count } stretches
}
member-streaks = Days in a row
member-streaks-why = A day is part of a streak if at least one second counted on it. Days begin and end by the clocks of { $zone }. Today does not end a streak before it is over. A day on which nothing counted ends it, also where Rollcall could not see: nothing is made up.
member-streak-now = Now
member-streak-now-note = still going
member-streak-none = no time today or yesterday
member-streak-longest = Longest
member-streak-until = until { $day }
member-streak-all = Days with time
member-streak-range = in the last year
member-streak-days = { $count ->
    [one] { $count } day
   *[other] { $count } days
}
member-days = Day by day
member-days-why = Each square is a day of the server’s time zone, in the last year at most and of all periods. The table leads to every stretch of a day.
member-days-text = { $count ->
    [one] Time counted on one day.
   *[other] Time counted on { $count } days.
}
member-day-text = { $day }: { $duration }
member-day = Day
member-channels = Channels
member-channels-why = Where the time of the running period was counted.
member-channels-text = { $count ->
    [one] Time in one channel.
   *[other] Time in { $count } channels, the most first.
}
member-channel = Channel
member-recent = The last sessions
member-recent-why = A session ends when its member leaves, when the rules change, or when a period ends. Its record is signed, and a receipt proves it to anybody.
member-recent-caption = Sessions that are over, the newest first
member-recent-none = No session is over yet.
member-when = When
member-ended = Ended
member-record = Record
member-explain = Explain
member-receipt = Receipt
member-pending = waits for its signature
member-open = still open
member-corrected-by = { $duration } by hand
member-corrections = Corrections
member-corrections-why = What a hand added or took. Each is a signed record of its own beside the session’s, which stays as it was recorded.
member-corrections-caption = { $count ->
    [one] One correction
   *[other] { $count } corrections, the newest first
}
member-made = Made
member-by = by
member-change = Change
member-note = Note
member-counts-at = Counts at
member-after-archive = after the period’s archive: stands beside it
member-correct-link = Correct…
member-proof = How to check this without trusting anybody
member-proof-why = A receipt is one file with a session’s record, its signature, its timeline, the rules that held, and the proof that the public log has it. It shows that this session was recorded like this and not changed since, and nothing about anybody else. The page below checks it in your browser; the file never leaves it. What waits for its signature has no receipt yet.
member-verify = Open the verification page
member-receipt-waits = The receipt is not ready yet
member-receipt-waits-what = The session is recorded and nothing of it is lost. Its receipt is made as soon as its record is signed and in the public log. Then this address has it.

member-timeline-title = { $name }, every stretch
member-timeline = Every stretch, explained
member-timeline-why = What Rollcall saw, what it made of it, and by which rule. Whatever did not count stands here as well, and so does every time in which Rollcall could not see.
member-csv = Download as CSV
member-days-nav = Other days
member-previous = Before
member-next = After
member-no-next = Up to now
member-days-between = { $first } to { $last }
member-zone = Everything on this page is by the clocks of { $zone }.
member-as-of = What is still open is reckoned up to
member-range-refused = This range could not be shown as asked
member-bad-day = Give a day as in 2027-01-31.
member-bad-zone = There is no such time zone. Write a place as in Europe/Berlin.
member-ends-before = The range must not end before it begins.
member-too-long = At most { $days } days at once.
member-total = Time that counts
member-total-note = the same as on the leaderboard, to the second
member-stretches = Stretches
member-blind = Not watched
member-blind-note = when Rollcall could not see
member-chart-note = One row for each channel. Point at a stretch to read it; the table below says why it is what it is.
member-timeline-text = { $count ->
    [one] One stretch; { $duration } count.
   *[other] { $count } stretches; { $duration } count.
}
member-not-watched = Not watched
member-nothing-lane = Nothing
member-stretch-text = { $start } – { $end }: { $status }, { $duration }
member-nothing-title = Nothing was seen
member-nothing = There was no time in voice on these days that Rollcall knows of.
member-stretches-caption = Stretches in their order
member-length = Length
member-status = Status
member-reason = Why
member-session = Session
member-credited = counts
member-not-credited = does not count
member-no-session = no session
member-same-session = the same session
member-rounding = Instants are cut to the second. Lengths are rounded so that they add up to the sums below, to the second.
member-sum = What it adds up to
member-sum-why = The sum of the stretches above. Only the first lines add to the time that counts.
member-sum-caption = Time by status
member-adds = Adds
member-adds-nothing = nothing
member-means = What it means
member-late = Beside this: { $duration } of corrections made after the period was archived. The archive stays as it is, so they are in no sum.
member-blind-title = When Rollcall could not see
member-blind-why = Nobody’s time is made up for these minutes. They are listed whether they touched this member or not.
member-blind-caption = Times in which nothing was seen, in full
member-blind-none = None: Rollcall watched all the time.
member-blind-now = now
member-cause = Why
member-ended-by = How it ended
member-journal-all = Time in voice without a session (channels that are not tracked, AFK) is known for all of this range.
member-journal-none = Time in voice without a session (channels that are not tracked, AFK) is no longer known for this range: what was seen is kept for some days only. Sessions are all here.
member-journal-from = Time in voice without a session (channels that are not tracked, AFK) is known only since
member-other-days = Other days
member-other-days-why = At most { $days } days at once.

member-rule = Rule:
member-rules-version = version { $version } of the rules
member-rules-since = in force since
member-rules-by = set by
member-rule-pause_on_mute = pause while muted
member-rule-pause_on_deafen = pause while deafened
member-rule-pause_when_solo = pause while alone
member-rule-min_session_seconds = shortest stay that counts
member-rule-bridge_gap_seconds = longest gap that is bridged
member-rule-tracked_channels = list of channels
member-rule-exclude_afk = the AFK channel does not count
member-rule-tracking_mode = what is tracked
member-rule-opt_out = opting out

member-why-counted = Seen in voice, and no rule paused it.
member-why-bridged = Rollcall could not see for a moment. The gap was short enough, and it counted before and after.
member-why-unwitnessed = Rollcall could not see, and the gap was too long to be bridged or did not count on both sides.
member-why-deafened = Deafened, and that pauses the time here.
member-why-muted = Muted, and that pauses the time here.
member-why-solo = Nobody else was in the channel, and that pauses the time here.
member-why-below_minimum = Seen, but the whole stay was shorter than what counts here.
member-why-untracked = In voice, in a channel that is not tracked here.
member-why-afk = In the AFK channel.
member-why-off = In voice while nothing was tracked here.
member-why-opted_out = In voice while opted out: no session was opened. Only you see this.

member-means-counted = Seen in voice, and counted.
member-means-bridged = Not seen, but the gap was short: counted.
member-means-corrected = Added or taken by hand, as signed corrections.
member-means-below_minimum = In stays that were too short to count.
member-means-unwitnessed = Not seen, so not counted.
member-means-deafened = Paused while deafened.
member-means-muted = Paused while muted.
member-means-solo = Paused while alone in the channel.
member-means-untracked = In channels that are not tracked.
member-means-afk = In the AFK channel.
member-means-off = While nothing was tracked.
member-means-opted_out = While opted out.

member-ended-leave = left the channel
member-ended-move = moved to another channel
member-ended-rules = cut where the rules changed
member-ended-untracked = the channel is not tracked any more
member-ended-period = cut where a period ended
member-ended-opted_out = opted out
member-ended-channel_deleted = the channel was deleted
member-ended-guild_left = Rollcall left the server
member-ended-gap = Rollcall lost sight of it

member-cause-disconnected = The connection to Discord was lost.
member-cause-unavailable = Discord had an outage of this server.
member-cause-unreadable = Discord sent something that could not be read.
member-cause-overflow = More came at once than could be taken.
member-cause-stalled = The machine stood still or slept.
member-cause-restart = Rollcall was being restarted.
member-blind-end-resumed = Discord replayed everything that was missed.
member-blind-end-snapshot = A new look at who is in voice; what happened between is not known.
member-blind-end-guild_left = Rollcall left the server.
member-blind-end-none = It goes on.

member-session-why = One stay in one channel, or the part of it that one set of rules and one period hold.
member-recorded = Counted, as recorded
member-with-corrections = With its corrections
member-session-corrections = Corrections of this session
member-session-uncorrected = It was never corrected.
member-correct = Correct it
member-correct-why = What was recorded is never changed. A correction is a signed record of its own, appended beside the session’s, with who made it and why; everybody with the record can check it. It cannot be taken back silently: only by another correction. It counts at the session’s last moment. The archive of a period that is over stays as it is, and the correction stands beside it.
member-correct-pending = Its record waits for its signature. A correction names the record that it corrects, so it is refused until then.
member-correct-choose = Choose whether to add or to take.
member-correct-bad-minutes = Whole minutes, from 1 to { $most }.
member-correct-room = This session stays within nothing and its whole length: at most { $add } whole minutes can be added, and { $take } taken.
member-correct-no-note = Say why: it is part of the record.
member-correct-now = Sign and append the correction
member-correction-made = The correction is recorded. It is signed with the next records.
member-direction = What it does
member-add = Add time
member-add-hint = At most up to the session’s length.
member-take = Take time
member-take-hint = At most down to nothing.
member-minutes = Minutes
member-minutes-hint = Whole minutes.
member-note-hint = Why. It stays in the signed record, so write nothing there that should go away again.
