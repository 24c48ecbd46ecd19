import {readFileSync} from 'node:fs'
import {join} from 'node:path'

/** Certificates for localhost and 127.0.0.1, their authority, and one of a client. */
export const TLS = join(import.meta.dirname, '../fixtures/tls')

/** The text of one of these files. */
export const tlsFile = (name: string): string => readFileSync(join(TLS, name), 'utf8')
