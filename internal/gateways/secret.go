package gateways

import "github.com/paysvc/paysvc/internal/pipeline"

// Secret is a credential. Whoever prints, formats, logs or encodes it gets ***. A
// gateway keeps it in a function's closure (see pipeline.Secret).
type Secret = pipeline.Secret
