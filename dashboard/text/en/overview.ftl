overview-title = Overview
overview-why = Whether everything is well, as it happens.

overview-voice = In voice now
overview-voice-count = { $n ->
    [one] One member
   *[other] { $n } members
} in { $channels ->
    [one] one channel
   *[other] { $channels } channels
}.
overview-voice-more = { $n ->
    [one] and one more
   *[other] and { $n } more
}
overview-voice-none-title = Nobody is in voice
overview-voice-none = Who joins a tracked channel shows up here at once.

overview-period = This period
overview-time = Time
overview-time-note = counted, of all members
overview-members = Members
overview-members-note = with time in it
overview-sessions = Sessions
overview-sessions-note = those still open included
overview-blind = Not watched
overview-blind-note = when Rollcall could not see
overview-blind-nothing = nothing
overview-period-began = Began
overview-period-ends = Ends
overview-period-open = when somebody ends it
overview-period-none = No period has begun yet. The first one begins with the first member in a tracked channel.

overview-leaders = The most time
overview-leaders-caption = The members with the most time in this period
overview-leaders-more = The whole leaderboard
overview-leaders-none-title = No time yet
overview-leaders-none = Nobody has time in this period.
overview-rank = Rank
overview-member = Member
overview-line-time = Time
overview-erased = erased

overview-signing = Signing
overview-signing-state-none = No key
overview-signing-state-open = Open
overview-signing-state-locked = Locked
overview-signing-none = { $n ->
    [0] Without a key nobody can check the records.
    [one] Without a key nobody can check the records. One waits.
   *[other] Without a key nobody can check the records. { $n } wait.
}
overview-signing-open = { $n ->
    [0] Everything is signed.
    [one] One record is waiting for its signature.
   *[other] { $n } records are waiting for their signatures.
}
overview-signing-locked = { $n ->
    [0] New records will wait until the key is unlocked.
    [one] One record is waiting for the key.
   *[other] { $n } records are waiting for the key.
}
overview-signing-oldest = The oldest has waited since
overview-signing-more = To signing

overview-missed = Was anything missed?
overview-missed-nothing = No: Rollcall watched all of this period.
overview-missed-some = For { $duration } of this period Rollcall could not see who was in voice. Nothing is made up for that time.
overview-missed-now = goes on

overview-last = The last sessions
overview-last-why = A session ends when its member leaves. Its record is then signed, and a receipt proves it to anybody.
overview-last-caption = Sessions that are over, the newest first
overview-last-none-title = No session is over yet
overview-last-none = The first one stands here as soon as somebody leaves a tracked channel.
overview-channel = Channel
overview-ended = Ended
overview-record = Record
overview-signed = signed
overview-pending = waits

overview-start = What to do next
overview-start-why = Nothing has been counted here yet. Four steps, and this goes away by itself.
overview-step-done = Done
overview-step-open = To do
overview-step-bot = Add the bot to the server
overview-step-bot-why = It sees who is in voice, and nothing that is said.
overview-step-tracking = Choose the channels that count
overview-step-tracking-why = All of them, or those that you name.
overview-step-key = Make a signing key
overview-step-key-why = Without one time is counted, but nobody can check it.
overview-step-voice = Join a channel
overview-step-voice-why = You will be seen here at once.
