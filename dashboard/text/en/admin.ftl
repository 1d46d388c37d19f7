# Words of the operators' pages (/admin). Keys: admin-<what>.

admin-title = Operators
admin-areas = Areas
admin-users = Users
admin-roles = Roles
admin-activity = Activity

admin-refused = This was not done
admin-not-possible = Not possible here: { $why }.
admin-confirm-title = Confirm that it is you
admin-confirm = Before you can change anything here, Discord has to say once more who you are. That holds for ten minutes.
admin-confirm-action = Confirm by Discord
admin-confirm-needed = Confirm first that it is you (above).

admin-users-explanation = Everybody who signed in to this dashboard at least once. Roles given here are the deployment’s: they open no server.
admin-users-search = Search
admin-users-search-hint = A part of a name, or a whole Discord id
admin-users-none = Nobody found.
admin-user = User
admin-user-id = Discord id
admin-username = User name
admin-first-sign-in = First sign-in
admin-signed-in = Last sign-in
admin-banned = Banned
admin-by-settings = Super admin (settings)
admin-by-settings-explanation = ADMIN_USER_IDS names this user: everything is allowed to them, and nothing here can change that.
admin-no-role = No role
admin-no-permission = none

admin-role = Role
admin-priority = Priority
admin-permissions = Permissions
admin-user-roles-explanation = You can give and take what is below your own priority and allows no more than you are allowed.
admin-give-role = Give a role
admin-give-hint = Only roles that you can give are listed.
admin-give = Give
admin-take = Take away
admin-take-warning = They lose what only “{ $role }” allows them, at once.

admin-ban = Ban
admin-ban-explanation = Ends their sessions at once and keeps them from signing in. Their time in servers is counted as before.
admin-ban-reason = Reason: { $reason }
admin-ban-by = By { $id }
admin-reason = Reason
admin-reason-hint = It is shown to them when they try to sign in, and kept in the activity log.
admin-unban = Lift the ban
admin-unban-explanation = They can sign in again; sessions from before stay ended.
admin-unban-reason = Reason (optional)

admin-roles-explanation = What a role allows is allowed in this dashboard’s own administration, and told to services that ask. A higher priority outranks a lower one.
admin-role-new = A new role
admin-role-create = Make the role
admin-role-id = Id
admin-role-id-hint = 1 to 32 of a–z, 0–9, _ and -. It cannot be changed later.
admin-role-name = Name
admin-role-colour = Colour
admin-priority-hint = 0 to 999, and below your own
admin-permissions-hint = Only what you are allowed yourself can be added.
admin-role-change = Change
admin-role-delete = Delete
admin-role-delete-explanation = Takes the role from everybody who holds it. This cannot be undone.
admin-role-delete-warning = Everybody who holds “{ $role }” loses it at once.

admin-permission-view-admin = See users, roles and the activity log
admin-permission-manage-users = Ban, and give and change roles below one’s own
admin-permission-other = Opens nothing here; told to other services by /auth/validate

admin-activity-explanation = Who signed in and who changed what, from which address. Entries are deleted after { $days } days.
admin-activity-all = All of their activity
admin-when = When
admin-action = What
admin-action-any = Anything
admin-nobody = nobody
admin-details = Details
admin-told-discord = Through Discord
admin-told-nothing = –
admin-told-banned = The account is banned
admin-told-mismatch = Discord named somebody else
admin-address = Address
admin-action-login = Signed in
admin-action-logout = Signed out
admin-action-login-refused = Sign-in refused
admin-action-reauthenticated = Confirmed who they are
admin-action-session-revoked = Session ended
admin-action-ban = Banned somebody
admin-action-unban = Lifted a ban
admin-action-role-created = Made a role
admin-action-role-changed = Changed a role
admin-action-role-deleted = Deleted a role
admin-action-role-assigned = Gave a role
admin-action-role-removed = Took a role
admin-action-account-erased = Erased an account

admin-done-ban = { $name } is banned, and their sessions have ended.
admin-done-unban = { $name } can sign in again.
admin-done-assign = { $name } has the role “{ $role }” now.
admin-done-remove = { $name } does not have the role “{ $role }” any more.
admin-done-role-created = The role “{ $role }” is there.
admin-done-role-changed = The role “{ $role }” was changed.
admin-done-role-deleted = The role “{ $role }” was deleted.
