import {connect} from 'node:net'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import type {Rig} from '../test/rig/rig.ts'
import {freePorts} from './tools.ts'

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

interface Settings {
  readonly folder: string
  readonly from: number
  readonly to: number
  readonly protocol: Protocol
  readonly workers: number
  /** With what a sidecar adds. */
  readonly hasHeaders: boolean
}

const settings = ({folder, from, to, protocol, workers, hasHeaders}: Settings): string => `
daemon off; worker_processes ${workers}; pid ${folder}/pid; error_log ${folder}/errors;
events { worker_connections 1024; }
http {
  access_log off; keepalive_requests 1000000000;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(name => `${name}_temp_path ${folder}/${name};`).join(' ')}
  upstream app { server 127.0.0.1:${to}; keepalive 64; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${from}${PASSES[protocol].listens};
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
  {
    protocol = 'http',
    workers = 1,
    hasHeaders = false
  }: Partial<Pick<Settings, 'protocol' | 'workers' | 'hasHeaders'>> = {}
): Promise<{readonly port: number; readonly pid: number}> {
  const [port = 0] = await freePorts(1)
  const name = `nginx-${port}`
  const folder = join(rig.folder, name)
  await rig.write({[`${name}/conf`]: settings({folder, from: port, to: target, protocol, workers, hasHeaders})})
  const nginx = rig.start(['nginx', '-p', folder, '-e', join(folder, 'errors'), '-c', join(folder, 'conf')])
  while (!(await accepts(port))) {
    if (nginx.hasExited) throw new Error(nginx.report())
    await pause(10)
  }
  return {port, pid: nginx.pid}
}
