channel-why = This channel in the running period, everybody who is in it now included.
channel-time = Time
channel-members = Members
channel-sessions = Sessions
channel-peak = Most at once
channel-peak-note = in this period
channel-empty-title = Nobody was here
channel-empty = No time was counted in this channel in the running period.
channel-by-day = Time by day
channel-by-day-text = { $count ->
    [one] The time counted in this channel on one day.
   *[other] The time counted in this channel on each of { $count } days.
}
channel-by-member = Time by member
channel-by-member-why = { $count ->
    [one] The one member who was here.
   *[other] The { $most } members with the most time here; the table has up to 200.
}
channel-members-caption = Who was here, most time first
channel-by-member-text = { $count ->
    [one] One member was here.
   *[other] Of { $count } members, those with the most time in this channel.
}
channel-day = Day
channel-member = Member
channel-live = here now
