settings-title = Settings
settings-why = What counts, when a period ends, and who may use these pages. New rules hold from the moment they are saved, and leave counted time as it is.
settings-tabs = Settings by topic
settings-tab-tracking = Tracking
settings-tab-fairness = Fairness
settings-tab-periods = Periods
settings-tab-panel = Panel roles
settings-tab-general = General
settings-read-only = You may look at this, not change it.
settings-weekday-0 = Monday
settings-weekday-1 = Tuesday
settings-weekday-2 = Wednesday
settings-weekday-3 = Thursday
settings-weekday-4 = Friday
settings-weekday-5 = Saturday
settings-weekday-6 = Sunday
settings-month-1 = January
settings-month-2 = February
settings-month-3 = March
settings-month-4 = April
settings-month-5 = May
settings-month-6 = June
settings-month-7 = July
settings-month-8 = August
settings-month-9 = September
settings-month-10 = October
settings-month-11 = November
settings-month-12 = December

tracking-mode = Which channels count
tracking-mode-hint = Only time in channels that count is recorded.
tracking-mode-all = Every channel
tracking-mode-all-hint = All voice channels and stages, also those made later. The list below is kept but has no effect.
tracking-mode-allowlist = Only the list
tracking-mode-allowlist-hint = Nothing counts but the channels ticked below. An empty list counts nothing.
tracking-mode-denylist = All but the list
tracking-mode-denylist-hint = Everything counts but the channels ticked below, also channels made later.
tracking-mode-off = Nothing
tracking-mode-off-hint = Tracking is off. Sessions that are open end now; nothing new is recorded.
tracking-list = The list
tracking-list-hint = Tick channels, or a whole category for all channels in it, now and later.
tracking-afk = The server's AFK channel counts for nothing as long as “Leave out the AFK channel” is on, whatever is ticked here. It is set under
tracking-gone = A channel that is ticked is not there any more. It stands first in the list, by its id: untick it.
tracking-saved = Saved. It holds from now on.

preview-action = Preview
preview-action-hint = A preview works out the last week under these rules and shows what would be different. It saves nothing.
preview-title = The last week under these rules
preview-why = Both sides are worked out from what was seen in the last seven days, each with one set of rules for the whole time. Nothing is saved, and no time already counted changes.
preview-range = Looked at:
preview-missing-title = Not the whole week
preview-missing-journal_trimmed = What was seen in this part is no longer kept:
preview-missing-not_recorded = In this part nothing was recorded yet:
preview-blind = For { $duration } of this week Rollcall did not see voice. Neither side invents that time.
preview-now = As it is
preview-then = With these rules
preview-difference = Difference
preview-members = { $count ->
    [one] { $count } member with time
   *[other] { $count } members with time
}
preview-appearing = Would appear
preview-appearing-note = members who have no time as it is
preview-disappearing = Would disappear
preview-disappearing-note = members who would have no time left
preview-same-title = Nobody's time would change
preview-same = In the last week these rules would have counted the same time for every member.
preview-chart = Who would gain or lose most
preview-chart-text = { $count ->
    [one] The member whose time would change, as it is and with these rules.
   *[other] The { $count } members whose time would change most, each as it is and with these rules.
}
preview-now-bar = is { $duration }
preview-then-bar = would be { $duration }
preview-more = +{ $duration }
preview-table = Members whose time would change
preview-member = Member
preview-sessions = Sessions
preview-sessions-both = { $now } → { $then }
preview-cut = Shown are the { $shown } largest differences among { $total } members.
