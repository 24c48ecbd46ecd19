import {execFile} from 'node:child_process'
import {connect} from 'node:net'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import {promisify} from 'node:util'
import type {Rig} from '../test/rig/rig.ts'
import {freePorts} from './tools.ts'

const execute = promisify(execFile)

/** How calls are passed on: over HTTP/1.1 or as gRPC, on connections that stay. */
const PASSES = {
  http: {listens: '', location: 'proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection "";'},
  grpc: {listens: ' http2', location: 'grpc_pass grpc://app;'}
}
type Protocol = keyof typeof PASSES

/** The header lines that a sidecar adds to a call, and to its response. */
const SIDECAR_HEADERS = [
  ...Object.entries({
    'Dapr-Caller-App-Id': 'caller',
    'Dapr-Callee-App-Id': 'callee',
    Forwarded: '"for=10.0.0.1;by=10.0.0.1;host=localhost"',
    'X-Forwarded-For': '10.0.0.1',
    'X-Forwarded-Host': 'localhost',
    Traceparent: '00-$request_id-00f067aa0ba902b7-00'
  }).map(([name, value]) => `proxy_set_header ${name} ${value};`),
  'add_header Traceparent 00-$request_id-00f067aa0ba902b7-00;'
].join(' ')

/** Paths of a certificate and its key. */
export interface TlsFiles {
  readonly certificate: string
  readonly key: string
}

/** Makes a certificate of the kind that names have: a key of the curve P-256. */
export async function tlsFiles(rig: Rig): Promise<TlsFiles> {
  const [certificate, key] = [join(rig.folder, 'nginx.crt'), join(rig.folder, 'nginx.key')]
  const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
  await execute('openssl', [...args, '-subj', '/CN=callee-bench.localhost', '-keyout', key, '-out', certificate])
  return {certificate, key}
}

interface Settings {
  readonly folder: string
  readonly from: number
  readonly to: number
  readonly protocol: Protocol
  /** Adds the headers of a sidecar. */
  readonly hasHeaders: boolean
  /** Answers with TLS. */
  readonly tls: TlsFiles | undefined
}

const settings = ({folder, from, to, protocol, hasHeaders, tls}: Settings): string => `
daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/errors;
events { worker_connections 1024; }
http {
  access_log off; keepalive_requests 1000000000;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(name => `${name}_temp_path ${folder}/${name};`).join(' ')}
  upstream app { server 127.0.0.1:${to}; keepalive 64; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${from}${PASSES[protocol].listens}${tls ? ` ssl; ssl_certificate ${tls.certificate}; ssl_certificate_key ${tls.key}; ssl_protocols TLSv1.3` : ''};
    location / { ${PASSES[protocol].location} ${hasHeaders ? SIDECAR_HEADERS : ''} }
  }
}
`

const accepts = async (port: number): Promise<boolean> =>
  new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })

/** Starts nginx before a port; gives its own, and its process group. It ends with the rig. */
export async function startNginx(
  rig: Rig,
  target: number,
  {protocol = 'http', hasHeaders = false, tls}: Partial<Pick<Settings, 'protocol' | 'hasHeaders' | 'tls'>> = {}
): Promise<{readonly port: number; readonly pid: number}> {
  const [port = 0] = await freePorts(1)
  const name = `nginx-${port}`
  const folder = join(rig.folder, name)
  await rig.write({[`${name}/conf`]: settings({folder, from: port, to: target, protocol, hasHeaders, tls})})
  const nginx = rig.start(['nginx', '-p', folder, '-e', join(folder, 'errors'), '-c', join(folder, 'conf')])
  while (!(await accepts(port))) {
    if (nginx.hasExited) throw new Error(nginx.report())
    await pause(10)
  }
  return {port, pid: nginx.pid}
}
