sign-in-button = Sign in with Discord
sign-in-other = Sign in with another account
sign-in-ended = You are signed out.
sign-in-confirmed = Confirmed that it is you. That holds for ten minutes; go on where you were.
sign-in-declined = You did not let Rollcall see who you are and which servers you are in. Without that it cannot show anything that is yours.
sign-in-stale = It was begun too long ago, in another browser, or was finished already. Begin anew.
sign-in-mismatch = Discord said you are somebody else than who is signed in here. Confirm with the same account.
