import type {Component} from './component.ts'

/** How the key of a document is wrapped by a key of a component (Dapr: kit/schemes/enc/v1, KeyAlgorithm). */
export type WrapAlgorithm = 'A256KW' | 'A128CBC-NOPAD' | 'A192CBC-NOPAD' | 'A256CBC-NOPAD' | 'RSA-OAEP-256'

/** A key that does not leave its component. */
export interface NamedKey {
  readonly name: string
  readonly algorithm: WrapAlgorithm
}

/** Keys by which other keys are wrapped (components-contrib: crypto, LocalCryptoBaseComponent). */
export interface CryptoProvider extends Component {
  /** Wraps a key. Rejects in Dapr's words if the wrapping key is missing or does not fit. */
  wrap(key: Buffer, by: NamedKey): Promise<Buffer>
  unwrap(wrapped: Buffer, by: NamedKey): Promise<Buffer>
}
