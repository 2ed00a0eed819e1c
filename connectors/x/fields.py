"""What is asked of X about each post, in its older vocabulary or its newer one."""

from conversations.networks import Account

_COMMON = "attachments,conversation_id,created_at,entities,geo,id,lang,source,text"
_USER = "created_at,id,location,name,profile_image_url,public_metrics,username,verified"
_MEDIA = "alt_text,media_key,preview_image_url,type,url,variants"
_PLACE = "country,country_code,full_name,id,name"
_TWEETS = {
    "tweet.fields": f"{_COMMON},author_id,edit_history_tweet_ids,in_reply_to_user_id,"
    "note_tweet,referenced_tweets",
    "expansions": "author_id,attachments.media_keys,geo.place_id",
}
_POSTS = {
    "post.fields": f"{_COMMON},note_post",
    "expansions": "author_id,attachments.media_keys,geo.place_id,edit_history_post_ids,"
    "in_reply_to_user_id,referenced_posts",
}
_BESIDE = {"user.fields": _USER, "media.fields": _MEDIA, "place.fields": _PLACE}

POSTS = "posts"
"""The setting for X's newer words; everything else asks with the older ones."""


def post_params(account: Account) -> dict[str, str]:
    """Return what to ask about posts: each reference that is not expanded costs nothing."""
    words = _POSTS if account.settings.get("vocabulary") == POSTS else _TWEETS
    return {**words, **_BESIDE}


def message_params(account: Account) -> dict[str, str]:
    """Return what to ask about direct messages."""
    is_newer = account.settings.get("vocabulary") == POSTS
    sender = "" if is_newer else ",sender_id"
    return {
        "dm_event.fields": "attachments,created_at,dm_conversation_id,entities,event_type,id,text"
        + sender,
        "event_types": "MessageCreate",
        "expansions": "attachments.media_keys,sender_id",
        "user.fields": _USER,
        "media.fields": _MEDIA,
    }
