"""The work: what the policy decides is carried out here, by Protocols alone."""
