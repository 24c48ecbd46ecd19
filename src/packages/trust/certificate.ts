import {AsnConvert, OctetString} from '@peculiar/asn1-schema'
import * as asn from '@peculiar/asn1-x509'
import {createHash, generateKeyPairSync, randomBytes, sign, X509Certificate, type KeyObject} from 'node:crypto'
import {CERTIFIED} from '../../model/app-name.ts'

/** A certificate and its private key, both as PEM. */
export interface KeyPair {
  readonly certificate: string
  readonly key: string
}

export interface Issuer {
  readonly name: string
  readonly key: KeyObject
  readonly publicKey: KeyObject
}

const DAY_MS = 86_400_000
/** ECDSA with SHA-256 (RFC 5758 §3.2). */
const ECDSA_SHA256 = '1.2.840.10045.4.3.2'
const COMMON_NAME = '2.5.4.3'

/** Makes an authority of ten years for names below `CERTIFIED` alone (RFC 5280 §4.2.1.10). */
export function makeAuthority(name: string, now = Date.now()): KeyPair {
  const {publicKey, privateKey} = newKeys()
  const permittedSubtrees = new asn.GeneralSubtrees(
    CERTIFIED.map(domain => new asn.GeneralSubtree({base: new asn.GeneralName({dNSName: domain})}))
  )
  return certified({name, key: privateKey, publicKey}, {name, publicKey, privateKey, days: 3650, now}, [
    extension(asn.id_ce_basicConstraints, new asn.BasicConstraints({cA: true, pathLenConstraint: 0}), true),
    extension(asn.id_ce_keyUsage, new asn.KeyUsage(asn.KeyUsageFlags.keyCertSign | asn.KeyUsageFlags.cRLSign), true),
    extension(asn.id_ce_nameConstraints, new asn.NameConstraints({permittedSubtrees}), true)
  ])
}

/** Makes a certificate for exactly one host name, valid for a year: clients refuse a longer time, and the wildcard `*.localhost`. */
export function makeLeaf(issuer: Issuer, host: string, now = Date.now()): KeyPair {
  const {publicKey, privateKey} = newKeys()
  return certified(issuer, {name: 'Pillion', publicKey, privateKey, days: 364, now}, [
    extension(asn.id_ce_basicConstraints, new asn.BasicConstraints({cA: false}), true),
    extension(asn.id_ce_keyUsage, new asn.KeyUsage(asn.KeyUsageFlags.digitalSignature), true),
    extension(asn.id_ce_extKeyUsage, new asn.ExtendedKeyUsage([asn.id_kp_serverAuth])),
    extension(asn.id_ce_subjectAltName, new asn.SubjectAlternativeName([new asn.GeneralName({dNSName: host})]))
  ])
}

interface Subject extends ReturnType<typeof newKeys> {
  readonly name: string
  readonly days: number
  readonly now: number
}

function certified(issuer: Issuer, subject: Subject, extensions: readonly asn.Extension[]): KeyPair {
  const {name, publicKey, privateKey, days, now} = subject
  const signature = new asn.AlgorithmIdentifier({algorithm: ECDSA_SHA256})
  const tbsCertificate = new asn.TBSCertificate({
    version: asn.Version.v3,
    serialNumber: serialNumber(),
    signature,
    issuer: nameOf(issuer.name),
    // valid since yesterday: the clock of another machine may be up to a day late
    validity: new asn.Validity({notBefore: new Date(now - DAY_MS), notAfter: new Date(now + days * DAY_MS)}),
    subject: nameOf(name),
    subjectPublicKeyInfo: AsnConvert.parse(der(publicKey), asn.SubjectPublicKeyInfo),
    extensions: new asn.Extensions([
      ...extensions,
      extension(asn.id_ce_subjectKeyIdentifier, new asn.SubjectKeyIdentifier(keyId(publicKey))),
      extension(
        asn.id_ce_authorityKeyIdentifier,
        new asn.AuthorityKeyIdentifier({keyIdentifier: new asn.SubjectKeyIdentifier(keyId(issuer.publicKey))})
      )
    ])
  })
  const signed = sign('sha256', Buffer.from(AsnConvert.serialize(tbsCertificate)), issuer.key)
  const whole = new asn.Certificate({tbsCertificate, signatureAlgorithm: signature, signatureValue: bytesOf(signed)})
  return {
    certificate: new X509Certificate(Buffer.from(AsnConvert.serialize(whole))).toString(),
    key: privateKey.export({type: 'pkcs8', format: 'pem'})
  }
}

const newKeys = (): {readonly publicKey: KeyObject; readonly privateKey: KeyObject} =>
  generateKeyPairSync('ec', {namedCurve: 'prime256v1'})

const extension = (extnID: string, value: object, critical = false): asn.Extension =>
  new asn.Extension({extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value))})

const nameOf = (text: string): asn.Name =>
  new asn.Name([
    new asn.RelativeDistinguishedName([
      new asn.AttributeTypeAndValue({type: COMMON_NAME, value: new asn.AttributeValue({utf8String: text})})
    ])
  ])

/** Returns a random positive number of 19 bytes (RFC 5280 §4.1.2.2). */
const serialNumber = (): ArrayBuffer => bytesOf(Buffer.concat([Buffer.of(0x40), randomBytes(18)]))

const der = (key: KeyObject): Buffer => key.export({type: 'spki', format: 'der'})

const keyId = (key: KeyObject): ArrayBuffer => bytesOf(createHash('sha1').update(der(key)).digest())

const bytesOf = (buffer: Buffer): ArrayBuffer => Uint8Array.from(buffer).buffer
