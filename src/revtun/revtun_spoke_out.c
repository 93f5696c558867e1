// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_spoke_out.h"

#include <assert.h>

void revtun_spoke_out_begin(struct revtun_spoke *spoke)
{
    assert(spoke->out_taken == spoke->out_count);
    spoke->out_taken = 0;
    spoke->out_count = 0;
}

void revtun_spoke_out_add(struct revtun_spoke *spoke, const struct revtun_spoke_command *command)
{
    assert(spoke->out_count < REVTUN_SPOKE_OUT_MAX);
    spoke->out[spoke->out_count++] = *command;
}

void revtun_spoke_out_tell(struct revtun_spoke *spoke, const struct revtun_spoke_news *news)
{
    revtun_spoke_out_add(spoke, &(struct revtun_spoke_command){
                                    .type = REVTUN_SPOKE_TELL,
                                    .news = *news,
                                });
}

void revtun_spoke_out_say(struct revtun_spoke *spoke, uint64_t now_ns, uint32_t link,
                          const struct revtun_message *message)
{
    assert(spoke->out_count < REVTUN_SPOKE_OUT_MAX);
    struct wr wr = wr_init(spoke->out_texts[spoke->out_count], REVTUN_SPOKE_OUT_TEXT_MAX);

    revtun_message_write(&wr, message);
    assert(wr_ok(&wr));
    spoke->links[link].said_ns = now_ns;
    revtun_spoke_out_add(spoke, &(struct revtun_spoke_command){
                                    .type = REVTUN_SPOKE_SEND,
                                    .link = link,
                                    .text = wr_done(&wr),
                                });
}
