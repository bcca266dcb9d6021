/** Names an identity to whoever knows it already, and to nobody else. */
export type SubjectHash = (identity: { readonly tenantId: string; readonly authSubject: string }) => string;
