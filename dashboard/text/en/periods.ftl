periods-why = At the end of a period its leaderboard is archived and signed, and everybody starts from zero. Nothing is deleted.
periods-next = The next five resets
periods-next-why = As saved now, not as typed below.
periods-next-guild = In { $zone }
periods-next-yours = On your clock
periods-never = Periods do not end by themselves.
periods-interval = A period lasts
periods-interval-hint = Changing it does not end the running period; it says when that one will end.
periods-interval-hourly = An hour
periods-interval-daily = A day
periods-interval-weekly = A week
periods-interval-monthly = A month
periods-interval-yearly = A year
periods-interval-off = Until somebody ends it
periods-anchor = It ends
periods-anchor-calendar = By the calendar
periods-anchor-calendar-hint = At the hour, weekday, day and month chosen below.
periods-anchor-rolling = A full length after the last reset
periods-anchor-rolling-hint = At the same time of day, one period after the last one ended, whenever that was. Hour, weekday, day and month below have no effect.
periods-hour = Hour
periods-hour-hint = For days, weeks, months and years. Where clocks skip it, the first moment after; where they show it twice, the first of the two.
periods-weekday = Weekday
periods-weekday-hint = For weeks.
periods-day = Day of the month
periods-day-hint = For months and years. 29 to 31 mean the last day where a month is shorter.
periods-month = Month
periods-month-hint = For years.
periods-timezone = Time zone
periods-timezone-hint = The server's one time zone: reports count days by it too.
periods-saved = Saved. The next resets are shown below.
periods-end = End the period now
periods-end-why = For the end of a season or an event that no calendar knows.
periods-end-action = End the running period…
periods-end-what = The running leaderboard is archived and signed as it stands at this moment, and everybody starts from zero. This cannot be taken back. The schedule goes on as set; with periods that follow the last reset, the next one is counted from now.
periods-end-confirm = End it now
periods-end-stale = This form was incomplete. Nothing was ended; try again.
periods-ended = Period { $index } has ended. { $count ->
    [0] Its leaderboard is being archived.
    [one] { $count } member is in its leaderboard.
   *[other] { $count } members are in its leaderboard.
}
