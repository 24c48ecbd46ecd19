import {existsSync} from 'node:fs'
import type {AppPlan} from '../../model/plan.ts'

/**
 * The shell that starts a program. dash drops variables with a dot in the name, which Daeploy uses; bash keeps them.
 */
export const shellFor = ({fixedPort}: AppPlan): string =>
  fixedPort > 0 ? (['/bin/bash', '/usr/bin/bash'].find(path => existsSync(path)) ?? '/bin/sh') : '/bin/sh'
