/** Protocols at one end of a call. `none`: that end has no connection. The recorder stores the index in this list in 4 bits. */
export const PROTOCOLS = ['none', 'HTTP/1.1', 'HTTP/2', 'gRPC', 'WebSocket', 'bytes'] as const

export type Protocol = (typeof PROTOCOLS)[number]
