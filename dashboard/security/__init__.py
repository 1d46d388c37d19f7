"""What keeps strangers out: cookies, forms' tokens, headers, rates, and where a sign-in may lead."""
