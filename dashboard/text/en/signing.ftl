signing-title = Signing
signing-why = Every finished session and every archived leaderboard is signed with this server’s key, so that anyone can check a record without trusting us.
signing-keys-open = Manage the key
signing-none-title = There is no signing key yet
signing-none = { $n ->
    [0] Time is recorded all the same. Once there is a key, records are signed, and others can check them.
    [one] Time is recorded all the same. One record waits, and is signed as soon as there is a key.
   *[other] Time is recorded all the same. { $n } records wait, and are signed as soon as there is a key.
}
signing-generate-link = Make the key
signing-ask-manager = Somebody with Manage Server can do this.
signing-locked-title = The key is locked
signing-locked = { $n ->
    [0] Recording goes on. What is recorded from now on waits for its signature until the key is unlocked.
    [one] Recording goes on. One record waits for its signature until the key is unlocked. Nothing is lost.
   *[other] Recording goes on. { $n } records wait for their signatures until the key is unlocked. Nothing is lost.
}
signing-unlock-link = Unlock
signing-state = The key is
signing-state-open = unlocked
signing-state-locked = locked
signing-pending = Records that wait
signing-oldest = The oldest since
signing-nothing-waits = Everything is signed.
signing-restart = After a restart
signing-restart-auto = opens by itself
signing-restart-auto-note = By the master key of this deployment.
signing-restart-locked = stays locked
signing-restart-locked-note = Until somebody gives the passphrase. From then on it opens by itself again.
signing-restart-asks = asks for the passphrase
signing-restart-asks-note = Until somebody gives it, records wait.
signing-key = The public key
signing-key-why = Write it down somewhere that we cannot change, and date it: with it you can check a record even if you do not trust this page.
signing-key-since = In use since
signing-key-x = Public key (Ed25519, base64url)
signing-kid = Key id (kid)
signing-jwks = All public keys of this deployment (JWKS)
signing-verify = Check a record in your browser
signing-list = All keys
signing-list-why = Each is good for the records from its first to its last position in this server’s chain. Old ones sign nothing any more, and what they signed in time still verifies.
signing-list-key = Key id
signing-list-state = State
signing-list-since = Made
signing-list-first = First record
signing-list-last = Last record
signing-list-none = none
signing-list-open = open
signing-list-active = Signs
signing-list-retired = Retired
signing-list-revoked = Revoked
signing-list-lost = Lost
signing-list-audit = Who made, replaced or revoked a key, and when, is in the
signing-history = Archived periods
signing-history-why = Each ended period’s leaderboard is a signed record of its own.
signing-history-caption = Archived periods, newest first
signing-history-none = No period has ended yet.
signing-period = Period
signing-period-n = Period { $n }
signing-ended = From and to
signing-entries = Members
signing-period-state = Signature
signing-period-signed = signed
signing-period-pending = waits
signing-check = Check
signing-period-verify = Verdict
signing-period-export = Export

signing-keys-title = The signing key
signing-keys-why = Passphrases are kept nowhere. Each change is in the audit; changes of the key are also records that anyone can read.
signing-refused = Nothing was changed
signing-not-the-same = The two are not the same.
signing-too-many = Too many wrong passphrases, or too many tries at once. Try again in { $wait }.
signing-passphrase = Passphrase
signing-passphrase-hint = The one that was chosen when the key was made or last changed.
signing-new-passphrase = New passphrase
signing-new-passphrase-hint = At least 12 characters. Keep it in a password safe: nobody can tell it to you later.
signing-again = The same again
signing-next-passphrase = Passphrase of the new key
signing-next-passphrase-active = Passphrase of the new key, if the key in use is revoked
signing-old-passphrase = Passphrase of the old key
signing-old-passphrase-hint = It is locked, and has to sign its own end.
signing-auto = After a restart
signing-auto-hint = Whether the new key opens by itself.
signing-auto-same = As the old key
signing-auto-yes = Open the key by itself
signing-auto-yes-means = Signing goes on without anybody. For that the key is also kept sealed under the deployment’s master key: whoever has the server’s data folder and that key file could sign in your name. Right for most.
signing-auto-no = Ask for the passphrase
signing-auto-no-means = Nobody can sign without the passphrase, not even whoever runs this deployment, while the key is locked. After each restart records wait until somebody of you unlocks the key. Nothing is lost, but nothing new can be checked until then.

signing-generate = Make the key
signing-generate-why = The server’s first key.
signing-generate-what-1 = What was recorded before is signed at once, in its order.
signing-generate-what-2 = The key and its activation are public for good.
signing-generate-what-3 = If passphrase and key are lost, a new key can take its place. Old records stay as good as they are.
signing-generate-now = Make the key
signing-done-generate = The key is made. Records are being signed.

signing-unlock = Unlock the key
signing-unlock-why = { $n ->
    [0] Nothing waits yet. What is recorded is signed again from then on.
    [one] One record waits. It is signed at once.
   *[other] { $n } records wait. They are signed at once, in their order.
}
signing-unlock-now = Unlock
signing-done-unlock = The key is unlocked. What waited is being signed.

signing-lock = Lock the key
signing-lock-why = For when you are not sure who can reach this deployment right now.
signing-lock-open = Lock…
signing-lock-what-1 = Nobody signs any more, in no process, also after a restart, until somebody gives the passphrase.
signing-lock-what-2 = Recording goes on, and what is recorded waits. Nothing is lost; only its signature is later.
signing-lock-what-3 = Old records are as valid as before.
signing-lock-now = Lock the key
signing-done-lock = The key is locked. Recording goes on; records wait for their signatures.

signing-change-passphrase = Change the passphrase
signing-change-passphrase-why = For when somebody knows it who should not.
signing-change-passphrase-open = Change the passphrase…
signing-change-passphrase-what-1 = The key stays the same, and so does every record.
signing-change-passphrase-what-2 = It does not help against somebody who had the old passphrase together with a copy of the database: then put a new key in its place.
signing-change-passphrase-now = Change the passphrase
signing-done-change-passphrase = The passphrase is changed. The old one opens nothing any more.

signing-rotate = Put a new key in its place
signing-rotate-why = When people leave who knew the passphrase, or once a year.
signing-rotate-open = New key…
signing-rotate-what-1 = The old key signs its own end, and the new one signs from there on.
signing-rotate-what-2 = Old records and receipts stay valid for ever; nobody has to fetch new ones.
signing-rotate-what-3 = Who has written the old public key down needs the new one as well. The old key cannot come back.
signing-rotate-now = Put the new key in its place
signing-done-rotate = The new key signs from now on. Old records stay valid.

signing-lost = Replace a lost key
signing-lost-why = When nobody knows the passphrase any more and the key is locked.
signing-lost-open = The key is lost…
signing-lost-what-1 = The new key names the old one, which is good up to the last record that it signed and for nothing behind it.
signing-lost-what-2 = What waits is signed by the new key. Old records stay valid.
signing-lost-what-3 = The old key is given up for good, even if the passphrase is found later. Everyone can see that it was replaced without its own signature.
signing-lost-now = Give up the old key
signing-done-lost = The new key signs from now on, and what waited is being signed.

signing-revoke = Revoke a key
signing-revoke-why = When a key was stolen: somebody may have signed what never happened.
signing-revoke-open = Revoke…
signing-revoke-what-1 = Records of that key up to the position that you name stay valid. All behind it do not verify any more, whoever signed them.
signing-revoke-what-2 = A position decides, not a time: a thief can set a clock back, but each record names the one before it.
signing-revoke-what-3 = If it is the key in use, a new key takes its place and signs the revocation, which everyone can read, with your reason.
signing-revoke-what-4 = It cannot be taken back. Only an earlier position can still be named later.
signing-position = Last good position
signing-position-hint = The guild_seq of the last record that you believe: it is in receipts, exports and webhooks. The key’s first position minus one: nothing of it is good.
signing-bad-position = Give a whole number, as guild_seq has it.
signing-reason = Reason
signing-reason-hint = It becomes public.
signing-which = Key id
signing-which-hint = Empty: the key in use.
signing-revoke-now = Revoke the key
signing-done-revoke = The key is revoked from that position on.
