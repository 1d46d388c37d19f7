# Words that components and the frame of every page use. Keys: ui-<component>-<what>.

ui-product = Rollcall
ui-tagline = Voice attendance that can be trusted
ui-skip = Skip to the page
ui-title = { $page } – { $product }
ui-title-guild = { $page } – { $guild } – { $product }

ui-theme = Colours
ui-theme-light = Light
ui-theme-dark = Dark
ui-theme-auto = As the system has it

ui-sign-in = Sign in
ui-sign-out = Sign out
ui-verify = Verify a record
ui-guilds = Your servers
ui-admin = Operators
ui-docs = Documentation

ui-menu = Menu
ui-menu-close = Close the menu
ui-sections = Pages of this server

ui-nav-group-now = Attendance
ui-nav-group-records = Records
ui-nav-group-setup = Set-up
ui-nav-overview = Overview
ui-nav-leaderboard = Leaderboard
ui-nav-me = My time
ui-nav-analytics = Analytics
ui-nav-signing = Signing
ui-nav-exports = Exports
ui-nav-roles = Verified roles
ui-nav-audit = Audit
ui-nav-settings = Settings
ui-nav-logs = Log channels
ui-nav-webhooks = Webhooks
ui-nav-tokens = API tokens
ui-nav-subscription = Subscription
ui-nav-privacy = Privacy

ui-breadcrumbs = Where you are

ui-tone-info = Note
ui-tone-good = Done
ui-tone-warn = Attention
ui-tone-bad = Problem

ui-status-counted = Counted
ui-status-bridged = Bridged
ui-status-unwitnessed = Unwitnessed
ui-status-muted = Muted
ui-status-deafened = Deafened
ui-status-solo = Alone
ui-status-blind = Not watched
ui-status-below_minimum = Too short
ui-status-untracked = Not tracked
ui-status-afk = AFK
ui-status-off = Tracking off
ui-status-opted_out = Opted out
ui-status-corrected = Corrected
ui-legend = What the colours and patterns mean

ui-banner-locked-title = Signing is locked
ui-banner-locked = Time is still counted. Records wait unsigned until somebody unlocks the key.
ui-banner-locked-action = Unlock the key
ui-banner-no-key-title = Nothing is signed yet
ui-banner-no-key = Time is counted, but without a key nobody can check it. Making one takes a minute.
ui-banner-no-key-action = Make a signing key
ui-banner-blind-title = Rollcall cannot see voice right now
ui-banner-blind = The connection to Discord is down. It will say plainly which minutes it did not see; none are made up.
ui-banner-since = Since
ui-banner-absent-title = The bot is not in this server
ui-banner-absent = Records made so far stay as they are and can be verified. Nothing new is counted until the bot is back.
ui-banner-absent-action = Add the bot
ui-banner-permissions-title = The bot lacks permissions
ui-banner-permissions = It lacks: { $permissions }. In Discord, under “Server Settings” and “Roles”, give these to the bot’s role. Until then some of what it is set up for does not happen.
ui-banner-stale-title = This page may be out of date
ui-banner-stale = The service behind the dashboard does not answer right now. Counting goes on without the dashboard.

ui-state-loading = Loading
ui-state-error-title = This could not be shown
ui-state-error-request = If you ask for help, give this number: { $id }
ui-state-retry = Try again
ui-state-locked-title = The signing key is locked
ui-state-absent-title = The bot is not in this server
ui-state-absent = Add the bot to the server to count time in its voice channels.
ui-state-absent-action = Add the bot
ui-state-forbidden-title = You may not see this

ui-table-empty = Nothing here yet.
ui-table-scroll = { $caption } (scrolls sideways)
ui-table-sort = Sort by { $column }
ui-table-sorted-ascending = sorted, lowest first
ui-table-sorted-descending = sorted, highest first
ui-table-actions = Actions

ui-pagination = Pages
ui-pagination-range = { $first } to { $last } of { $total }
ui-pagination-none = None
ui-pagination-previous = Previous
ui-pagination-next = Next
ui-pagination-page = Page { $page }

ui-form-optional = optional
ui-form-errors-title = { $count ->
    [one] One thing needs mending
   *[other] { $count } things need mending
}
ui-form-save = Save
ui-form-cancel = Cancel
ui-form-apply = Apply
ui-form-show = Show
ui-form-choose = Choose…

ui-picker-filter = Narrow the list
ui-picker-voice = voice
ui-picker-stage = stage
ui-picker-category = category
ui-picker-orphans = Without a category
ui-picker-none = This server has no voice channels that the bot can see.
ui-picker-note = A category stands for all of its channels, those made later too.
ui-picker-gone = No longer in the server

ui-range-from = From
ui-range-to = To
ui-range-to-hint = This day included
ui-range-zone = Time zone
ui-range-zone-hint = A place as in “Europe/Berlin”
ui-range-legend = Range

ui-copy = Copy
ui-copy-what = Copy { $what }
ui-copy-done = Copied
ui-copy-failed = Selected

ui-secret-once = It is shown this once. Keep it somewhere safe now: it cannot be shown again, only replaced.

ui-confirm-cancel = Keep things as they are

ui-progress-share = { $percent } %

ui-live-on = Live
ui-live-off = Reconnecting…

ui-chart-table = The same as a table
ui-chart-scale-less = less
ui-chart-scale-more = more

ui-time-guild = { $text } ({ $zone }, the server’s time)
ui-time-never = never

# Durations. No-break spaces keep number and unit on one line.
ui-duration-s = { $seconds } s
ui-duration-m = { $minutes } min
ui-duration-hm = { $hours } h { $minutes } min
ui-duration-h = { $hours } h
ui-duration-negative = −{ $duration }
ui-number = { $n }
