// A separate file, so that only `list -o yaml` loads the library.
export {stringify} from 'yaml'
