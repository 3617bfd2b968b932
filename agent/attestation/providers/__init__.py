"""Where evidence comes from: one provider per kind of machine, each an `EvidenceProvider`."""
