import type {BlockApi, Operation} from './block-api.ts'

const subtle = (verb: string): Operation => ({
  http: `POST v1.0-alpha1/subtlecrypto/*/${verb}`,
  grpc: 'v1alpha1/subtlecrypto'
})

/** Cryptography (Dapr: pkg/api/http: crypto.go, subtlecrypto.go). */
export const CRYPTOGRAPHY = {
  components: {one: 'crypto provider', purpose: 'cryptography', policies: 'Crypto', counted: 'crypto'},
  errors: 'CRYPTO crypto',
  operations: {
    Encrypt: {http: 'PUT v1.0-alpha1/crypto/*/encrypt', grpc: 'v1alpha1/crypto', isStream: true},
    Decrypt: {http: 'PUT v1.0-alpha1/crypto/*/decrypt', grpc: 'v1alpha1/crypto', isStream: true},
    SubtleGetKey: subtle('getkey'),
    SubtleEncrypt: subtle('encrypt'),
    SubtleDecrypt: subtle('decrypt'),
    SubtleWrapKey: subtle('wrapkey'),
    SubtleUnwrapKey: subtle('unwrapkey'),
    SubtleSign: subtle('sign'),
    SubtleVerify: subtle('verify')
  }
} as const satisfies BlockApi
