import {codeOf} from '../../../model/errors.ts'
import {ownOf} from '../../../model/own.ts'
import {alertText} from '../../../model/tls-alert.ts'
import {UpstreamError} from '../dialer.ts'

/** Reasons for refusing a certificate, in Go's words, by Node's error codes. */
const CERTIFICATES: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'certificate has expired or is not yet valid',
  CERT_NOT_YET_VALID: 'certificate has expired or is not yet valid',
  ERR_TLS_CERT_ALTNAME_INVALID: 'certificate is not valid for the host that was called',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'certificate signed by unknown authority',
  SELF_SIGNED_CERT_IN_CHAIN: 'certificate signed by unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'certificate signed by unknown authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'certificate signed by unknown authority'
}

/** Returns the error of a request to an external URL in Go's words, which users of Dapr know. */
export function webError(error: Error, url: URL): Error {
  return error instanceof UpstreamError ? error : new UpstreamError(wordsOf(error, url))
}

function wordsOf(error: Error, {hostname, host, port}: URL): string {
  const code = codeOf(error)
  const certificate = ownOf(CERTIFICATES, code)
  if (certificate !== undefined) return `tls: failed to verify certificate: x509: ${certificate}`
  if (code === 'ECONNREFUSED') return `dial tcp ${port === '' ? hostname : host}: connect: connection refused`
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `dial tcp: lookup ${hostname}: no such host`
  if (code === 'ECONNRESET') return 'EOF'
  const alert = alertText(error)
  if (alert !== '') return alert
  return code.startsWith('HPE_') ? `malformed HTTP response (${error.message})` : error.message
}
