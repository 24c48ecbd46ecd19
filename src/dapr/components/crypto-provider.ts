import type {Component} from './component.ts'

/** Algorithm by which a component's key encrypts ("wraps") the key of a document (Dapr: kit/schemes/enc/v1, KeyAlgorithm). */
export type WrapAlgorithm = 'A256KW' | 'A128CBC-NOPAD' | 'A192CBC-NOPAD' | 'A256CBC-NOPAD' | 'RSA-OAEP-256'

/** Names a key of a component. The key itself does not leave the component. */
export interface NamedKey {
  readonly name: string
  readonly algorithm: WrapAlgorithm
}

/** Keys by which other keys are wrapped (components-contrib: crypto, LocalCryptoBaseComponent). */
export interface CryptoProvider extends Component {
  /** Wraps a key. Rejects with Dapr's message if the wrapping key does not exist or does not fit. */
  wrap(key: Buffer, by: NamedKey): Promise<Buffer>
  unwrap(wrapped: Buffer, by: NamedKey): Promise<Buffer>
}
