import type {Environment} from '../model/environment.ts'
import type {AppPlan} from '../model/plan.ts'

/**
 * Returns the complete environment of an app's process. Later layers win: the shell, Dapr's variables (`pkg/standalone/run.go` of Dapr's
 * CLI), the template, and last the markers `PILLION_RUN` and `PILLION_LIFE`, by which Pillion finds its processes. Sets `PORT`, which Dapr
 * does not, only if Pillion has chosen the port. `env`: environment of Pillion. `isColoured`: the output is shown on a terminal.
 */
export function environmentOf(
  plan: AppPlan,
  ports: Readonly<Record<'httpPort' | 'grpcPort' | 'metricsPort' | 'appPort', number>>,
  env: Environment,
  markers: {readonly run: string; readonly marker: string},
  isColoured: boolean
): Record<string, string> {
  const isChosen = plan.channel.autoPort || plan.channel.isMoved === true
  const wantsColour = isColoured && !env['NO_COLOR'] && plan.env['NO_COLOR'] === undefined
  const layers: Environment = {
    PYTHONUNBUFFERED: '1',
    ...(wantsColour && {FORCE_COLOR: '1'}),
    ...env,
    APP_ID: plan.id,
    APP_CHANNEL_ADDRESS: plan.channel.address,
    ...(ports.appPort > 0 && {APP_PORT: ports.appPort.toString()}),
    // not set for a port in the template: NestJS, for example, would open a second server at PORT besides the one at APP_PORT
    ...(ports.appPort > 0 && isChosen && {PORT: ports.appPort.toString()}),
    DAPR_HTTP_PORT: ports.httpPort.toString(),
    DAPR_GRPC_PORT: ports.grpcPort.toString(),
    DAPR_METRICS_PORT: ports.metricsPort.toString(),
    APP_PROTOCOL: plan.channel.protocol,
    ...plan.env,
    PILLION_RUN: markers.run,
    PILLION_LIFE: markers.marker
  }
  return Object.fromEntries(Object.entries(layers).filter((entry): entry is [string, string] => entry[1] !== undefined))
}
