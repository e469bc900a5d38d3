//! An index that goes back to its snapshot, and the store that knows where it stood.

use firstline::adapters::qdrant::{EdgeIndex, Opened};
use firstline::flow::indexing;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::memory::talked;
use crate::support::{Stage, at, web};

pub(crate) async fn an_index_reads_on_from_its_snapshot(stage: &Stage) {
    let dir = tempfile::tempdir().unwrap();
    let open = async || EdgeIndex::open(dir.path(), None).await.unwrap();
    let (index, _) = open().await;
    let fill = async |index: &EdgeIndex| {
        let mut applied = 0;
        loop {
            match indexing::tick(&stage.store, index, None, &TimeZone::UTC).await.unwrap() {
                0 => return applied,
                some => applied += some,
            }
        }
    };
    let (_, ana) = talked(stage, &web("ana"), 0).await;
    talked(stage, &web("bob"), 100).await;
    assert_eq!(fill(&index).await, 2);
    assert!(indexing::snapshot(&stage.store, &index, Timestamp::MAX).await.unwrap());
    let (_, cem) = talked(stage, &web("cem"), 200).await;
    assert_eq!(fill(&index).await, 1);
    index.close().await.unwrap();
    std::fs::write(dir.path().join("manifest.json"), b"broken").unwrap();

    let (index, opened) = open().await;
    assert!(matches!(opened, Opened::Restored(_)), "{opened:?}");
    assert_eq!(fill(&index).await, 1, "what came since, and nothing else");
    for who in [ana, cem] {
        assert_eq!(indexing::search_memory(&index, None, who, "заказ", at(0), 5).await.unwrap().len(), 1);
    }
    index.close().await.unwrap();
}
