//! Files that came with messages: what the channel told of them, and where their bytes are.

use jiff::Timestamp;
use sqlx::any::AnyRow;

use super::SqlStore;
use super::sql::{Failure, Fields, Put, Tx, composed};
use crate::domain::channel::{Attachment, AttachmentKind};
use crate::domain::id::{AttachmentId, ConversationId, MessageId};
use crate::domain::message::{AttachmentState, StoredAttachment};
use crate::domain::text::MessageText;

/// Writes down what came with a message.
pub(super) async fn keep(
    store: &SqlStore,
    tx: &mut Tx,
    message: MessageId,
    files: &[Attachment],
    now: Timestamp,
) -> Result<(), Failure> {
    for (place, file) in files.iter().enumerate() {
        sqlx::query(
            "insert into attachments (id, message_id, place, kind, remote, name, mime, size, seconds, state, words, \
             created_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        )
        .put(AttachmentId::fresh(&store.ids, now))
        .put(message)
        .put(place)
        .put(file.kind.name())
        .put(&file.remote)
        .put(file.name.as_deref())
        .put(file.mime.as_deref())
        .put(file.size.and_then(|size| i64::try_from(size).ok()))
        .put(file.seconds.map(i64::from))
        .put(AttachmentState::Remote.name())
        .put(file.transcript.as_ref().map(MessageText::as_str))
        .put(now)
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

/// Lets go of the files of a message that was taken back: what they were called, what is said in them, and how they are
/// fetched.
pub(super) async fn let_go(tx: &mut Tx, message: MessageId) -> Result<(), Failure> {
    sqlx::query("update attachments set state = $2, remote = '', name = null, words = null where message_id = $1")
        .put(message)
        .put(AttachmentState::Gone.name())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Columns of a file `t`.
pub(super) const ATTACHMENT: &str = "t.id as t_id, t.message_id as t_message_id, t.kind as t_kind, t.remote as t_remote, \
    t.name as t_name, t.mime as t_mime, t.size as t_size, t.seconds as t_seconds, t.state as t_state, t.words as t_words";

pub(super) async fn of_conversation(
    store: &SqlStore,
    conversation: ConversationId,
    after: i64,
) -> Result<Vec<StoredAttachment>, Failure> {
    let found = composed(format!(
        "select {ATTACHMENT} from messages m join attachments t on t.message_id = m.id \
         where m.conversation_id = $1 and m.seq > $2 order by m.seq, t.place"
    ))
    .put(conversation)
    .put(after)
    .fetch_all(&store.read)
    .await?;
    found.iter().map(attachment).collect()
}

pub(super) fn attachment(row: &AnyRow) -> Result<StoredAttachment, Failure> {
    let fields = Fields::new(row, "attachments", "t_");
    Ok(StoredAttachment {
        id: fields.id("id")?,
        message: fields.id("message_id")?,
        file: Attachment {
            kind: fields.named("kind", AttachmentKind::from_name)?,
            remote: fields.text("remote")?,
            name: fields.text_or_null("name")?,
            mime: fields.text_or_null("mime")?,
            size: fields.integer_or_null("size")?.and_then(|size| u64::try_from(size).ok()),
            seconds: fields.integer_or_null("seconds")?.and_then(|seconds| u32::try_from(seconds).ok()),
            transcript: fields.text_or_null("words")?.map(MessageText::new),
        },
        state: fields.named("state", AttachmentState::from_name)?,
    })
}
