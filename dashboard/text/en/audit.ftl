audit-title = Audit
audit-why = Every change of a setting, a key or a permission: who made it, when, and from where. Entries are written together with the change and are never edited.
audit-action = Kind of change
audit-action-hint = What was changed, and how.
audit-any = Every kind
audit-actor = Made by
audit-actor-hint = The Discord id of whoever made the change.
audit-caption = { $total ->
    [one] One change
   *[other] { $total } changes
}
audit-none = No change matches. Widen the days, or show every kind.
audit-when = When
audit-who = Who
audit-what = What
audit-change = Change
audit-before = before
audit-after = after
audit-removed = removed
audit-nothing-kept = The action itself
audit-rollcall = Rollcall itself
audit-you = you
audit-via-api = in the dashboard
audit-via-token = by an API token
audit-via-slash = by a slash command
audit-via-system = by itself
