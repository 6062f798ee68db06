/**
 * `npm run image [-- --base IMAGE]`: builds the image as `heddle:<version>` and `heddle:latest`, with the production
 * modules of this clone, on the base of the Dockerfile or another one.
 */
import { parseArgs } from 'node:util';
import { buildImage } from './image/build.ts';
import { version } from './image/version.ts';

const { values } = parseArgs({ options: { base: { type: 'string' } } });
await buildImage({ tags: [`heddle:${version}`, 'heddle:latest'], base: values.base, quiet: false });
