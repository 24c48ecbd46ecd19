import type {Figure} from './figure.ts'
import {apps} from './figures/apps.ts'
import {blocks} from './figures/blocks.ts'
import {calls} from './figures/calls.ts'
import {grpc} from './figures/grpc.ts'
import {lines} from './figures/lines.ts'
import {memory} from './figures/memory.ts'
import {port} from './figures/port.ts'
import {save} from './figures/save.ts'
import {ten} from './figures/ten.ts'
import {workflows} from './figures/workflows.ts'

/** All figures, in the order of the page. */
export const FIGURES: readonly Figure[] = [ten, apps, save, calls, port, grpc, memory, lines, blocks, workflows]
