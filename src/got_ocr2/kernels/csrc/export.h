/* What Python may call: everything else stays inside the library. */
#ifndef GOT_EXPORT_H
#define GOT_EXPORT_H

#define GOT_API __attribute__((visibility("default")))

/* Counts up whenever an exported function or a structure shared with Python changes; library.py has the same number. */
#define GOT_ABI 4

GOT_API int got_abi(void);

#endif
