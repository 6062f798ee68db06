import { Attachment, type AttachmentNeeds } from '../../src/containers/attachment.ts';

/** An attachment of containers whose namespaces are named by path; no other container exists. */
export const attachmentOf = (needs: Pick<AttachmentNeeds, 'claims' | 'network'>): Attachment =>
  new Attachment({
    docker: { inspect: async () => undefined },
    namespaceOf: async () => ({ path: undefined, inode: undefined }),
    staleSharers: { release: async () => {} },
    ...needs,
  });
