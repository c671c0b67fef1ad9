package payment

// CommandTypes are the types of events that tell what an effect of these kinds
// is about: commands to whoever carries it out.
func CommandTypes(kinds ...EffectKind) []string {
	var types []string
	for _, kind := range kinds {
		names := effectEvents[kind]
		for _, name := range []string{names.do, names.undo} {
			if name != "" {
				types = append(types, name)
			}
		}
	}
	return types
}

// Undoes tells whether events of a type take an effect back.
func Undoes(eventType string) bool {
	for _, names := range effectEvents {
		if names.undo != "" && names.undo == eventType {
			return true
		}
	}
	return false
}
