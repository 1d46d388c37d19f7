analytics-title = Analytics
analytics-why = When and where people are in voice, and how much of it each has: counted time of all members, sessions that are open now included.
analytics-days = Range
analytics-days-choice = { $count ->
    [one] Today
   *[other] Last { $count } days
}
analytics-unit = Trend by
analytics-unit-day = Day
analytics-unit-week = Week
analytics-unit-month = Month
analytics-range = From
analytics-time = Counted time
analytics-sessions = Sessions
analytics-members = Members
analytics-day = Day
analytics-weekday = Weekday
analytics-hour = Hour
analytics-hours-unit = h
analytics-peak = Busiest hour of the week
analytics-peak-hour = { $day } { $hour }:00
analytics-peak-day = Busiest day
analytics-peak-week = Busiest week, from
analytics-peak-month = Busiest month, from
analytics-hours = Hours of the week
analytics-hours-why = Each cell is one hour of the week, summed over the range; the busiest has a frame. They add up to the counted time.
analytics-hours-text = Seven rows from Monday to Sunday with 24 hours each; the more time was counted in an hour, the stronger its cell. The table has the numbers.
analytics-cell = { $day }, { $hour }:00: { $duration }
analytics-trend = Over time
analytics-trend-why = The first and the last may be cut by the range. A member counts once in each day, week or month, so members do not add up.
analytics-breakdowns-title = Members and channels
analytics-breakdowns-why = How the time of the range is distributed over the members, and over the channels.
analytics-breakdowns-loading = Members and channels are being added up.
analytics-breakdowns-failed = Members and channels could not be added up
analytics-breakdowns-failed-why = All else on this page is complete. Trying again often helps.
analytics-amounts = Members by their time
analytics-amounts-why = How many members have how much: each step is twice as long as the one before. Members who were there without a counted second come first.
analytics-amounts-text = { $count ->
    [one] A column for the one member who had a session in the range.
   *[other] A column for each step, as high as so many of the { $count } members with a session in the range. The table has the numbers.
}
analytics-amount = Counted time of a member
analytics-class-none = none
analytics-class-under = under { $end }
analytics-class-minutes = { $start }–{ $end } min
analytics-class-hours = { $start }–{ $end } h
analytics-class-over = { $start } h or more
analytics-median = Median of a member
analytics-median-note = { $count ->
    [one] One member has counted time.
   *[other] A quarter of those with counted time have { $lower } or less, a quarter { $upper } or more.
}
analytics-members-note = { $count ->
    [0] none of them with counted time
    [one] one of them with counted time
   *[other] { $count } of them with counted time
}
analytics-top = Share of the top tenth
analytics-top-share = { $percent } %
analytics-top-note = { $count ->
    [one] One member has { $duration }.
   *[other] { $count } members together have { $duration }.
}
analytics-erased = { $duration } of the counted time above are of sessions that were erased since: channels keep them, members do not.
analytics-channel = Channel
analytics-channels = Time by channel
analytics-channels-why = { $more ->
    [0] Where the counted time was spent. The channels add up to it; a member may have been in several.
   *[other] The { $shown } channels with the most time; { $more } more are in the table. All of them add up to the counted time; a member may have been in several.
}
analytics-channels-text = { $count ->
    [one] One channel with time in the range.
   *[other] Those with the most time of { $count } channels.
}
analytics-empty-title = Nothing was counted in this range
analytics-empty = Choose a longer range, or look at Settings whether any channel is tracked.
analytics-blind-title = For { $duration } of this range Rollcall did not see voice
analytics-blind = Nothing is made up for that time: short gaps are bridged where the rules say so, and all other time that nobody saw is missing here.
analytics-blind-link = When that was
analytics-blind-time = Not watched
analytics-blind-none = Voice was watched all the time.
analytics-blind-table = Times in which nothing was seen
analytics-blind-why = All that touch the range, each in full, newest first.
analytics-blind-from = From
analytics-blind-to = Until
analytics-blind-length = Length
analytics-blind-cause = Why
analytics-blind-on = still
