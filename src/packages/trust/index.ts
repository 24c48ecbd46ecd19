/** The certificate authority of a user, certificates of host names, and the trust stores of a machine. */
export {
  hasAuthority,
  openAuthority,
  readAuthority,
  removeAuthority,
  temporaryAuthority,
  type Authority
} from './authority.ts'
export type {KeyPair} from './certificate.ts'
export {readAdded, trustStores, writeAdded, type Added, type Commands} from './stores.ts'
