leaderboard-title = Leaderboard
leaderboard-why = Who was in voice how long, by the rules of this server. Time that Rollcall did not see is not counted.
leaderboard-csv = Download as CSV
leaderboard-which = Period
leaderboard-which-hint = Archived periods never change.
leaderboard-running = The running period
leaderboard-period = No. { $index }: { $start } to { $end }
leaderboard-search = Name
leaderboard-search-hint = Part of a member’s name. Everybody keeps the rank they have among all.
leaderboard-archived = Period no. { $index }, archived
leaderboard-signed = Its ranking is signed.
leaderboard-pending = Its ranking waits for the signing key.
leaderboard-verify = Check its signature
leaderboard-caption = { $total ->
    [one] One member
   *[other] { $total } members
}
leaderboard-rank = Rank
leaderboard-member = Member
leaderboard-time = Time
leaderboard-sessions = Sessions
leaderboard-live = in voice
leaderboard-erased = Erased member
leaderboard-corrected = { $duration } by later corrections
leaderboard-empty = Nobody has been in a tracked voice channel in this period.
leaderboard-no-match = Nobody of that name was there in this period.
