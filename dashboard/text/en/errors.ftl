# What can go wrong, as pages. error-<kind>-title and error-<kind> by dashboard/error_pages.py.
error-home = To your servers
error-needs-right = This part of the server’s dashboard needs Manage Server, or a role that was given the panel.

error-signed-out-title = Sign in first
error-signed-out = This page shows what belongs to somebody, so it has to know who you are.
error-session-ended-title = You are signed out
error-session-ended = Your session has ended: it was too old, not used for a day, or ended elsewhere. Signing in again leads back to where you were.
error-sign-in-title = The sign-in was not finished
error-sign-in = Nothing has changed, and nobody is signed in by it.
error-banned-title = This account may not sign in
error-banned = The operators of this dashboard have banned it. Your records in your servers stay as they are.
error-banned-reason = Their reason: { $reason }
error-forged-title = This form is out of date
error-forged = It was loaded before you signed in or out, or it came from another site. Nothing was changed. Load the page anew and send it again.
error-forbidden-title = You may not do this
error-forbidden = Your account is known, and it has not been given this.
error-not-found-title = There is nothing here
error-not-found = The address is wrong, or what it led to is gone or not yours to see.
error-conflict-title = That does not fit
error-conflict = It contradicts what is stored: perhaps somebody else was faster. Load the page anew and look.
error-invalid-title = That cannot be taken
error-invalid = Something in the request is not as it must be.
error-too-many-title = Too many at once
error-too-many = That was more than is allowed in a minute.
error-too-many-wait = { $seconds ->
    [one] Try again in a second.
   *[other] Try again in { $seconds } seconds.
}
error-not-offered-title = Not set up here
error-not-offered = This deployment does not offer it.
error-discord-away-title = Discord does not answer
error-discord-away = Who you are, and which servers you are in, is Discord’s to say, and it does not answer right now. Counting goes on.
error-api-away-title = The API is away
error-api-away = The service behind the dashboard does not answer right now. Counting does not depend on the dashboard. Try again in a moment.
error-away-title = Something is away
error-away = A part that this page needs does not answer right now. Try again in a moment.
error-fault-title = That is our fault
error-fault = Something went wrong on our side. It has been written down.
